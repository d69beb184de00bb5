use std::{io, path::Path};

use super::{folders, source, uses};

/// Returns the units of each cycle in a crate of these files.
fn cycles(files: &[(&str, &str)]) -> Vec<String> {
    let open = |file: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == file);
        found
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    };
    let modules = source::read(Path::new("lib.rs"), &open).unwrap();
    let found = folders::cycles(&modules, &uses::find(&modules));
    found.iter().map(|cycle| cycle.units().join(", ")).collect()
}

/// Returns the cycles between `a.rs` and `b.rs`; `b` is code that may name `crate::a::A`.
fn between(a: &str, b: &str) -> Vec<String> {
    cycles(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", a),
        ("b.rs", b),
    ])
}

const A: &str = "use crate::b::B; pub struct A { pub b: B } impl A { pub fn new() {} }";

#[test]
fn modules_that_do_not_use_each_other_have_no_cycle() {
    let none: Vec<String> = Vec::new();
    assert_eq!(between(A, "pub struct B;"), none);
}

#[test]
fn a_name_is_found_however_it_is_written() {
    for b in [
        "use crate::a::A; pub struct B;",
        "use crate::A; pub struct B;",
        "use super::A; pub struct B;",
        "use super::*; pub struct B(A);",
        "use crate::{a::{A as Renamed}}; pub struct B;",
        "use crate::a; pub struct B; fn f() { a::A::new() }",
        "pub struct B; fn f() { super::a::A::new() }",
        "pub struct B(Vec<crate::A>);",
        "pub struct B; fn f() { println!(\"{}\", crate::A::new()) }",
        "pub struct B; fn f() { select! { _ = crate::a::A::new() => {} } }",
        "pub struct B; fn f() { use crate::A; }",
        "pub struct B; impl From<crate::A> for B {}",
    ] {
        assert_eq!(between(A, b), ["a, b"], "{b}");
    }
}

#[test]
fn a_re_export_a_module_alone_and_tests_are_no_dependency() {
    let none: Vec<String> = Vec::new();
    for b in [
        "pub use crate::a::A; pub struct B;",
        "use crate::a; pub struct B;",
        "pub(in crate::a) struct B;",
        "pub struct B; #[cfg(test)] mod tests { use crate::A; }",
        "pub struct B; #[cfg(all(test, unix))] use crate::A;",
        "pub struct B; fn f() { #[cfg(test)] crate::A::new(); }",
        "use a::A; pub struct B;",
        "pub struct B; fn f() { other::A::new() }",
    ] {
        assert_eq!(between(A, b), none, "{b}");
    }
    // the same names from a re-export count where they are used
    let used = "pub use crate::a::A; pub struct B(A);";
    assert_eq!(between(A, used), ["a, b"]);
}

#[test]
fn an_impl_block_in_another_module_counts_where_its_functions_are_called() {
    let files = |call| {
        [
            ("lib.rs", "mod cache; mod fetch;"),
            (
                "fetch.rs",
                "use crate::cache::Cache; impl Cache { pub fn fetch(&self) {} }",
            ),
            ("cache.rs", call),
        ]
    };
    let none: Vec<String> = Vec::new();
    for call in [
        "pub struct Cache; impl Cache { fn token(&self) { self.fetch() } }",
        "pub struct Cache; impl Cache { fn token(&self) { Self::fetch(self) } }",
        "pub struct Cache; fn token(cache: &Cache) { cache.fetch() }",
        "pub struct Cache; fn token(cache: &Cache) { Cache::fetch(cache) }",
        "pub struct Cache; struct Held { cache: std::sync::Arc<Cache> }
         impl Held { fn token(&self) { self.cache.fetch() } }",
    ] {
        assert_eq!(cycles(&files(call)), ["cache, fetch"], "{call}");
    }
    assert_eq!(
        cycles(&files(
            "pub struct Cache; impl Cache { fn fetched(&self) {} }"
        )),
        none
    );
}

#[test]
fn a_parent_and_its_child_are_a_cycle_if_each_names_the_other() {
    let child = (
        "cache/mod.rs",
        "mod slot; pub struct Cache(slot::Slot); pub const N: u8 = 1;",
    );
    let slot = "pub struct Slot([u8; super::N as usize]);";
    assert_eq!(
        cycles(&[("lib.rs", "mod cache;"), child, ("cache/slot.rs", slot)]),
        ["cache itself, cache::slot"]
    );
}

#[test]
fn folders_are_a_cycle_though_none_of_their_files_are() {
    let found = cycles(&[
        (
            "lib.rs",
            "mod a; mod b { pub mod up; pub mod down { pub struct Down; } }",
        ),
        ("a/mod.rs", "pub mod above; pub mod below;"),
        ("a/above.rs", "use crate::b::down::Down;"),
        ("a/below.rs", "pub struct Below;"),
        ("b/up.rs", "use crate::a::below::Below;"),
    ]);
    assert_eq!(found, ["a::*, b::*"]);
}
