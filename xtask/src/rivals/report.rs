//! The text and the pictures, from the figures of the last run.

use std::collections::BTreeMap;

use anyhow::Result;
use bench_support::report::{Directory, Rounds};

use super::{
    alone::{BUILDS, CRATES},
    libraries::{LAYERS, LIBRARIES, Library, OURS, PACKAGES, PAIRED},
    measured::{Measured, Median, figure, ratio, time},
    picture::{Group, Picture, Value, grouped},
    tables::table,
};

const READS: &str = "peers";
const FAILING: &str = "peers_failing";
const HERD: &str = "peers_herd";
const LAYER: &str = "peers_layer";
const THREADS: [usize; 3] = [1, 2, 8];
const NOT_MEASURED: &str = "not measured";

const READS_TEXT: &str = "\
The time of one read by each thread, and its ratio to ours in the same rounds. A read checks that the token has not
expired, and returns a header that is ready to be sent. A row that ends in `_lent` returns what the library lends or
shares instead: the caller has no header yet.
";
const FAILING_TEXT: &str = "\
Token requests when 32 callers wait for the first token, and the source fails after 50 ms.
";
const HERD_TEXT: &str = "\
1,000 tasks on two workers wait for the first token: the time from its arrival until the last task has it. `gcp_auth`
and `google_cloud_auth` request it over HTTP, and their time includes the response over loopback.
";
const LAYERS_TEXT: &str = "\
What a request that finds its token costs more than with the same client without the layer. The client responds at
once.
";
const NO_LAYERS_TEXT: &str = "\
No layer or middleware: huskarl and gcp_auth (the caller inserts the header), google-cloud-auth (within its own clients
only), aws-smithy-runtime (within generated clients only).
";
const BUILDS_TEXT: &str = "\
A program that depends on the library alone, with the features that `benches/peers` uses: the crates that it links
(procedural macros included, build dependencies not), and the time of `cargo build` without a target directory, the
median of three. Each build is next to one of `auth-core`, and the ratio is that of the medians. `aliri_tokens` compiles
only with two features of tokio that it does not enable; its program enables them.
";
const END_TEXT: &str = "\
**What the figures do not show:** other processors, and more of them; reads while the token is replaced; requests over
a network. An asynchronous read is polled once, without the overhead of a runtime. The libraries do different things
besides: most of them know a provider's protocols that ours do not, and none but ours checks where a token is sent.
`huskarl` is read with a custom token source, because its built-in one takes a lock.
";

/// What the figures are written into.
#[derive(Debug)]
pub(crate) struct Report {
    /// The section of BENCHMARKS.md, in Markdown.
    pub(crate) text: String,
    /// The pictures by the names of their files.
    pub(crate) pictures: Vec<(&'static str, String)>,
}

/// What is known besides the figures.
#[derive(Debug)]
pub(crate) struct Context {
    /// The versions of the packages.
    pub(crate) versions: BTreeMap<String, String>,
    /// The machine of the run, if it was recorded.
    pub(crate) machine: Option<String>,
}

impl Context {
    fn version(&self, package: Option<&str>) -> String {
        let version = package.and_then(|package| self.versions.get(package));
        version.map_or_else(String::new, |version| format!(" {version}"))
    }
}

/// Computes the report. What is void, or was not run, is "not measured" in it.
///
/// # Errors
///
/// If a file of the run cannot be read.
pub(crate) fn of(directory: &Directory, context: &Context) -> Result<Report> {
    let mut reasons = Reasons::default();
    let figures = Figures { directory, context };
    let machine = context.machine.as_deref();
    let mut text = format!("Measured at {}.\n", machine.unwrap_or("no recorded commit"));
    text.push_str(&figures.probes()?);
    let mut pictures = Vec::new();
    for part in [
        Figures::reads,
        Figures::failing,
        Figures::herd,
        Figures::layers,
        Figures::builds,
    ] {
        let Part {
            heading,
            body,
            picture,
        } = part(&figures, &mut reasons)?;
        text.push_str(&format!("\n### {heading}\n{body}"));
        if let Some((file, picture)) = picture {
            let alternative = format!("{}; {}", picture.title, picture.axis);
            text.push_str(&format!("\n![{alternative}](docs/{file})\n"));
            pictures.push((file, picture.svg()));
        }
    }
    text.push_str(&format!("\n{END_TEXT}"));
    text.push_str(&reasons.text());
    Ok(Report { text, pictures })
}

/// A section, and its picture.
struct Part {
    heading: &'static str,
    body: String,
    picture: Option<(&'static str, Picture)>,
}

/// Why figures were not measured, each reason once, with the number of its figures.
#[derive(Debug, Default)]
struct Reasons {
    figures: usize,
    missing: BTreeMap<String, usize>,
}

impl Reasons {
    fn note<T>(&mut self, measured: &Measured<T>) {
        self.figures += 1;
        if let Err(why) = measured {
            *self.missing.entry(why.clone()).or_default() += 1;
        }
    }

    fn text(&self) -> String {
        let all = self.figures;
        let line = |(why, count): (&String, &usize)| format!("- {count} of {all}: {why}\n");
        let lines: String = self.missing.iter().map(line).collect();
        if lines.is_empty() {
            return lines;
        }
        format!("\nNot measured:\n{lines}")
    }
}

/// One read at a number of threads.
struct Read {
    time: Measured<Median>,
    over_ours: Measured<Median>,
}

impl Read {
    fn cell(&self, is_ours: bool) -> String {
        let time = NANOSECONDS.cell(&self.time);
        if is_ours || self.over_ours.is_err() {
            return time;
        }
        format!("{time}, × {}", times(&self.over_ours))
    }
}

#[derive(Clone, Copy)]
struct Figures<'a> {
    directory: &'a Directory,
    context: &'a Context,
}

/// The unit of a table or picture, in nanoseconds.
#[derive(Clone, Copy)]
struct Unit(f64, &'static str);

const NANOSECONDS: Unit = Unit(1.0, "ns");
const MICROSECONDS: Unit = Unit(1e3, "µs");
const SECONDS: Unit = Unit(1e9, "s");

impl Unit {
    fn value(self, measured: &Measured<Median>) -> Value {
        match measured {
            // a logarithmic axis has no place for it
            Ok(median) if median.value <= 0.0 => Value::Missing(self.text(median)),
            Ok(median) => Value::At(median.value / self.0, self.text(median)),
            Err(_) => Value::Missing(NOT_MEASURED.to_owned()),
        }
    }

    fn text(self, median: &Median) -> String {
        format!("{} {}", grouped(median.value / self.0), self.1)
    }

    fn cell(self, measured: &Measured<Median>) -> String {
        measured
            .as_ref()
            .map_or_else(|_| NOT_MEASURED.to_owned(), |median| self.text(median))
    }
}

/// Returns a ratio with its interval.
fn times(measured: &Measured<Median>) -> String {
    match measured {
        Err(_) => NOT_MEASURED.to_owned(),
        Ok(Median {
            value,
            interval: Some((low, high)),
        }) => format!("{value:.2} ({low:.2} to {high:.2})"),
        Ok(Median { value, .. }) => format!("{value:.2}"),
    }
}

fn count(measured: &Measured<Median>) -> String {
    measured
        .as_ref()
        .map_or_else(|_| NOT_MEASURED.to_owned(), |median| grouped(median.value))
}

impl Figures<'_> {
    fn read(&self, group: &str, function: &str) -> Result<Option<Rounds>> {
        let rounds = self.directory.read(group, function);
        rounds.map_err(anyhow::Error::from_boxed)
    }

    /// Says what the probes of the groups with several threads showed.
    fn probes(&self) -> Result<String> {
        let mut text = String::new();
        for (group, function) in [
            (READS, "auth_core/2"),
            (READS, "auth_core/8"),
            (HERD, "auth_core/1000"),
        ] {
            let Some(rounds) = self.read(group, function)? else {
                continue;
            };
            for (when, probe) in ["before", "after"].into_iter().zip(&rounds.probes) {
                let threads = rounds.threads;
                text.push_str(&format!(
                    "- Probe {when} the rounds of `{group}` at {threads} threads: {probe}.\n"
                ));
            }
        }
        Ok(text)
    }

    /// Returns what one read costs at each number of threads.
    fn read_times(&self, reasons: &mut Reasons, name: &str) -> Result<Vec<Read>> {
        let read = |threads| {
            let (id, ours) = (format!("{name}/{threads}"), format!("{OURS}/{threads}"));
            let read = Read {
                time: time(self.directory, READS, &id)?,
                over_ours: ratio(self.directory, READS, [&id, &ours])?,
            };
            reasons.note(&read.time);
            Ok(read)
        };
        THREADS.into_iter().map(read).collect()
    }

    fn reads(&self, reasons: &mut Reasons) -> Result<Part> {
        let mut rows = Vec::new();
        let mut groups = Vec::new();
        let lent = LIBRARIES.iter().filter(|library| library.lent.is_some());
        let all = LIBRARIES.iter().map(|one| (one, false));
        for (library, is_lent) in all.chain(lent.map(|one| (one, true))) {
            let Library {
                name,
                header,
                package,
                ..
            } = library;
            let id = if is_lent {
                format!("{name}_lent")
            } else {
                (*name).to_owned()
            };
            let read = self.read_times(reasons, &id)?;
            let cells: Vec<_> = read.iter().map(|read| read.cell(id == OURS)).collect();
            let [one, two, eight] = [0, 1, 2].map(|index| cells[index].clone());
            let version = self.context.version(*package);
            let what = if is_lent { library.lent } else { Some(*header) };
            rows.push([
                format!("`{id}`{version}"),
                what.unwrap_or_default().to_owned(),
                one,
                two,
                eight,
            ]);
            let is_first_lent =
                is_lent && !groups.iter().any(|group: &Group| group.heading.is_some());
            groups.push(Group {
                name: id,
                is_ours: library.name == OURS,
                heading: is_first_lent.then_some("lent or shared, without a header:"),
                values: read
                    .iter()
                    .map(|one| NANOSECONDS.value(&one.time))
                    .collect(),
            });
        }
        let processors = self.read(READS, "auth_core/8")?.map(|one| one.processors);
        let eight = match processors {
            Some(processors) if processors < 8 => format!("8 threads on {processors} processors"),
            _ => "8 threads".to_owned(),
        };
        let head = ["library", "header", "1 thread", "2 threads", &*eight];
        let body = format!(
            "{READS_TEXT}
{}",
            table(head, &rows)
        );
        let picture = Picture {
            title: "One read of a cached token: checked, ready header out",
            axis: "nanoseconds for each thread, logarithmic; less is better",
            series: vec!["1 thread".to_owned(), "2 threads".to_owned(), eight],
            groups,
        };
        Ok(Part {
            heading: "Reads by threads",
            body,
            picture: Some(("rivals-reads.svg", picture)),
        })
    }

    fn failing(&self, reasons: &mut Reasons) -> Result<Part> {
        let (mut rows, mut groups) = (Vec::new(), Vec::new());
        for library in &LIBRARIES {
            let Some(requests) = self.requests(library, reasons)? else {
                continue;
            };
            let version = self.context.version(library.package);
            let [unavailable, denied] = &requests;
            rows.push([
                format!("`{}`{version}", library.name),
                count(unavailable),
                count(denied),
                library.failing.to_owned(),
            ]);
            groups.push(Group {
                name: library.name.to_owned(),
                is_ours: library.name == OURS,
                heading: None,
                values: requests.iter().map(requests_value).collect(),
            });
        }
        let head = ["library", "outage (503)", "denial (401)", "reason"];
        let body = format!(
            "{FAILING_TEXT}
{}",
            table(head, &rows)
        );
        let picture = Picture {
            title: "Token requests that 32 waiting callers cause when the source fails",
            axis: "token requests, logarithmic; less is better",
            series: vec!["outage (503)".to_owned(), "denial (401)".to_owned()],
            groups,
        };
        Ok(Part {
            heading: "A source that fails",
            body,
            picture: Some(("rivals-failing.svg", picture)),
        })
    }

    /// Returns the token requests during an outage and after a denial. `None` if there is no token source.
    fn requests(
        &self,
        library: &Library,
        reasons: &mut Reasons,
    ) -> Result<Option<[Measured<Median>; 2]>> {
        let measured = |failure: &str| {
            let id = format!("{}/{failure}", library.name);
            time(self.directory, FAILING, &id)
        };
        if library.package.is_none() && library.name != OURS {
            return Ok(None);
        }
        let requests = [measured("unavailable")?, measured("denied")?];
        requests.iter().for_each(|one| reasons.note(one));
        Ok(Some(requests))
    }

    fn herd(&self, reasons: &mut Reasons) -> Result<Part> {
        let (mut rows, mut groups) = (Vec::new(), Vec::new());
        let ours = format!("{OURS}/1000");
        for library in &LIBRARIES {
            let name = format!(
                "`{}`{}",
                library.name,
                self.context.version(library.package)
            );
            if let Some(why) = library.no_herd {
                rows.push([name, "–".to_owned(), "–".to_owned(), why.to_owned()]);
                continue;
            }
            let id = format!("{}/1000", library.name);
            let took = time(self.directory, HERD, &id)?;
            reasons.note(&took);
            let over = ratio(self.directory, HERD, [&id, &ours])?;
            let requests = format!("{}/requests", library.name);
            let requests = time(self.directory, HERD, &requests)?;
            rows.push([
                name,
                MICROSECONDS.cell(&took),
                times(&over),
                match took {
                    Ok(_) => format!("token requests: {}", count(&requests)),
                    Err(_) => NOT_MEASURED.to_owned(),
                },
            ]);
            groups.push(Group {
                name: library.name.to_owned(),
                is_ours: library.name == OURS,
                heading: None,
                values: vec![MICROSECONDS.value(&took)],
            });
        }
        let head = ["library", "last of 1,000", "over ours", ""];
        let body = format!(
            "{HERD_TEXT}
{}",
            table(head, &rows)
        );
        let picture = Picture {
            title: "1,000 tasks wait for the first token: until the last has it",
            axis: "microseconds after the token arrived, logarithmic; less is better",
            series: vec!["2 workers".to_owned()],
            groups,
        };
        Ok(Part {
            heading: "A herd",
            body,
            picture: Some(("rivals-herd.svg", picture)),
        })
    }

    fn layers(&self, reasons: &mut Reasons) -> Result<Part> {
        let (mut rows, mut groups) = (Vec::new(), Vec::new());
        for layer in &LAYERS {
            let functions = [layer.name, layer.bare];
            let added = |times: &[f64]| times[0] - times[1];
            let added = figure(self.directory, LAYER, &functions, added)?;
            reasons.note(&added);
            let version = self.context.version(layer.package);
            rows.push([
                format!("{}{version}", layer.label),
                match &added {
                    Ok(Median {
                        interval: Some((low, high)),
                        ..
                    }) => {
                        let [low, high] = [*low, *high].map(grouped);
                        format!("{} ({low} to {high})", NANOSECONDS.cell(&added))
                    }
                    _ => NANOSECONDS.cell(&added),
                },
                layer.note.to_owned(),
            ]);
            groups.push(Group {
                name: layer.label.to_owned(),
                is_ours: layer.is_ours,
                heading: None,
                values: vec![NANOSECONDS.value(&added)],
            });
        }
        let head = [
            "layer or middleware",
            "adds to a request",
            "on, and what it does",
        ];
        let body = format!(
            "{LAYERS_TEXT}
{}
{NO_LAYERS_TEXT}",
            table(head, &rows)
        );
        let picture = Picture {
            title: "What a layer or middleware adds to a request that finds its token",
            axis: "nanoseconds, logarithmic; less is better. The layers do different work: see the table",
            series: vec!["1 thread".to_owned()],
            groups,
        };
        Ok(Part {
            heading: "Layers",
            body,
            picture: Some(("rivals-layers.svg", picture)),
        })
    }

    fn builds(&self, reasons: &mut Reasons) -> Result<Part> {
        let (mut rows, mut groups) = (Vec::new(), Vec::new());
        for package in &PACKAGES {
            let crates = |what: &str| {
                let id = format!("{}/{what}", package.name);
                time(self.directory, CRATES, &id)
            };
            let number = crates("crates")?;
            reasons.note(&number);
            let is_linked =
                |linked: Measured<Median>| linked.is_ok_and(|median| median.value > 0.0);
            let includes = match (is_linked(crates("http_client")?), is_linked(crates("tls")?)) {
                _ if number.is_err() => NOT_MEASURED,
                (true, true) => "HTTP client, TLS",
                (true, false) => "HTTP client",
                (false, true) => "TLS",
                (false, false) => "neither",
            };
            let (took, over) = self.build(package.name)?;
            reasons.note(&took);
            let over = if package.name == PAIRED && took.is_ok() {
                "1".to_owned()
            } else {
                times(&over)
            };
            let version = self
                .context
                .version((!package.is_ours).then_some(package.name));
            rows.push([
                format!("{}{version}", package.name),
                count(&number),
                includes.to_owned(),
                SECONDS.cell(&took),
                over,
            ]);
            groups.push(Group {
                name: package.name.to_owned(),
                is_ours: package.is_ours,
                heading: None,
                values: vec![SECONDS.value(&took)],
            });
        }
        let head = [
            "library",
            "crates",
            "of them HTTP client, TLS",
            "cold build",
            "over auth-core",
        ];
        let body = format!(
            "{BUILDS_TEXT}
{}",
            table(head, &rows)
        );
        let picture = Picture {
            title: "A cold build of a program that depends on the library alone",
            axis: "seconds, dev profile, logarithmic; less is better. Some contain an HTTP client: see the table",
            series: vec!["build".to_owned()],
            groups,
        };
        Ok(Part {
            heading: "Crates and builds",
            body,
            picture: Some(("rivals-builds.svg", picture)),
        })
    }

    /// Returns the time of a package's build, and the ratio of the medians of its pairs.
    fn build(&self, package: &str) -> Result<(Measured<Median>, Measured<Median>)> {
        let of =
            |package: &str, what: &str| time(self.directory, BUILDS, &format!("{package}/{what}"));
        if package == PAIRED {
            // all pairs contain builds of the same; the first pairs suffice
            let first = of(PACKAGES[1].name, "ours")?;
            return Ok((first.clone(), first));
        }
        let (theirs, ours) = (of(package, "theirs")?, of(package, "ours")?);
        let over = match (&theirs, &ours) {
            (Ok(theirs), Ok(ours)) => Ok(Median {
                value: theirs.value / ours.value,
                interval: None,
            }),
            (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        };
        Ok((theirs, over))
    }
}

fn requests_value(measured: &Measured<Median>) -> Value {
    match measured {
        Ok(median) => Value::At(median.value, grouped(median.value)),
        Err(_) => Value::Missing(NOT_MEASURED.to_owned()),
    }
}

#[cfg(test)]
mod tests;
