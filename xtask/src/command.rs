//! Runs other programs, and describes their failures.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs `command` to its end, and returns its stdout.
///
/// # Errors
///
/// If the command cannot be started or fails. The error names the command and shows all of its output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` failed ({}); its output:\n{stdout}{stderr}",
            shown(command),
            output.status
        );
    }
    Ok(stdout.into_owned())
}

/// Runs `command` with the terminal of this program.
///
/// # Errors
///
/// If the command cannot be started or fails. The error names the command; the terminal shows its output.
pub(crate) fn status(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Returns the command line, and the directory if it is not the current one.
fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    match command.get_current_dir() {
        Some(directory) => format!("cd {} && {line}", directory.display()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_command_is_returned() {
        let printed = output(Command::new("sh").args(["-c", "echo ready"])).unwrap();
        assert_eq!(printed, "ready\n");
    }

    #[test]
    fn a_failure_shows_the_command_and_all_its_output() {
        let script = "echo to stdout; echo to stderr >&2; exit 3";
        let mut failing = Command::new("sh");
        failing.args(["-c", script]).current_dir("/");
        let error = output(&mut failing).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "`cd / && sh -c {script}` failed (exit status: 3); its output:\n\
                 to stdout\nto stderr\n"
            )
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = output(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
    }
}
