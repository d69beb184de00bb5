//! Versions as programs print them.

/// Returns the first two numbers of the output of `--version`, such as `v20.11.1` or `Python 3.12.1`.
pub(crate) fn major_minor(printed: &str) -> Option<(u32, u32)> {
    let digits = printed.trim().rsplit([' ', 'v']).next()?;
    let mut numbers = digits.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor)) => Some((major, minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_node_and_of_python_is_read() {
        assert_eq!(major_minor("v20.11.1\n"), Some((20, 11)));
        assert_eq!(major_minor("Python 3.9.18\n"), Some((3, 9)));
        assert_eq!(major_minor("Python 3.14.0rc1\n"), Some((3, 14)));
        assert_eq!(major_minor("command not found"), None);
        assert_eq!(major_minor(""), None);
    }
}
