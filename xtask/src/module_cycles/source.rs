//! Reads the modules of a crate from its files.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use syn::{Attribute, Expr, Ident, Item, Meta, Token, parse::Parser as _, punctuated::Punctuated};

/// The cfgs of test builds; code under them is left out.
const TEST_CFGS: [&str; 3] = ["test", "auth_loom", "fuzzing"];

pub(super) type ModuleId = usize;

/// The modules of one crate. The first is its root.
pub(super) type Modules = Vec<Module>;

#[derive(Debug)]
pub(super) struct Module {
    /// `cache::policy`; empty for the root.
    pub(super) path: String,
    pub(super) parent: Option<ModuleId>,
    pub(super) children: Vec<(String, ModuleId)>,
    pub(super) file: PathBuf,
    pub(super) items: Vec<Item>,
}

/// Reads the crate whose root is the file `root`, with `open` to read the text of a file.
///
/// # Errors
///
/// If a file is missing, cannot be read, or is not Rust.
pub(super) fn read(root: &Path, open: &Open<'_>) -> Result<Modules> {
    let mut reader = Reader {
        open,
        modules: Vec::new(),
    };
    let text = open(root).with_context(|| root.display().to_string())?;
    let directory = root.parent().unwrap_or(Path::new(""));
    reader.add_file(None, "", root, &text, directory)?;
    Ok(reader.modules)
}

pub(super) type Open<'a> = dyn Fn(&Path) -> io::Result<String> + 'a;

struct Reader<'a> {
    open: &'a Open<'a>,
    modules: Modules,
}

impl Reader<'_> {
    /// Adds the module whose text is that of `file`, and whose children are in files in `directory`.
    fn add_file(
        &mut self,
        parent: Option<ModuleId>,
        name: &str,
        file: &Path,
        text: &str,
        directory: &Path,
    ) -> Result<()> {
        let parsed = syn::parse_file(text).with_context(|| file.display().to_string())?;
        if in_tests_only(&parsed.attrs) {
            return Ok(());
        }
        self.add(parent, name, file, directory, parsed.items)
    }

    fn add(
        &mut self,
        parent: Option<ModuleId>,
        name: &str,
        file: &Path,
        directory: &Path,
        items: Vec<Item>,
    ) -> Result<()> {
        let id = self.modules.len();
        let path = match parent {
            Some(parent) if self.modules[parent].path.is_empty() => name.to_owned(),
            Some(parent) => format!("{}::{name}", self.modules[parent].path),
            None => String::new(),
        };
        let (inner, items): (Vec<_>, Vec<_>) = items
            .into_iter()
            .filter(|item| !in_tests_only(attributes(item)))
            .partition(|item| matches!(item, Item::Mod(_)));
        self.modules.push(Module {
            path,
            parent,
            children: Vec::new(),
            file: file.to_owned(),
            items,
        });
        if let Some(parent) = parent {
            self.modules[parent].children.push((name.to_owned(), id));
        }
        for item in inner {
            let Item::Mod(item) = item else { continue };
            let name = unraw(&item.ident);
            let below = directory.join(&name);
            if let Some((_, items)) = item.content {
                self.add(Some(id), &name, file, &below, items)?;
            } else if item.attrs.iter().any(|attr| attr.path().is_ident("path")) {
                bail!(
                    "{}: `#[path]` on `mod {name}` is not supported",
                    file.display()
                );
            } else {
                let (file, text) = self.file_of(directory, &name)?;
                self.add_file(Some(id), &name, &file, &text, &below)?;
            }
        }
        Ok(())
    }

    /// Returns the file of `mod name;` in a module whose children are in `directory`, and its text.
    fn file_of(&self, directory: &Path, name: &str) -> Result<(PathBuf, String)> {
        let mut file = directory.join(format!("{name}.rs"));
        let mut text = (self.open)(&file);
        if matches!(&text, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            file = directory.join(name).join("mod.rs");
            text = (self.open)(&file);
        }
        let text = text.with_context(|| file.display().to_string())?;
        Ok((file, text))
    }
}

pub(super) fn unraw(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// Returns whether the attributes restrict an item to test builds.
pub(super) fn in_tests_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg")
                && list.parse_args::<Meta>().is_ok_and(|condition| holds(&condition) == Some(false)))
    })
}

/// Returns whether a condition holds in a build without tests. `None` if it depends on other conditions.
fn holds(condition: &Meta) -> Option<bool> {
    let Meta::List(list) = condition else {
        let in_tests = TEST_CFGS.iter().any(|cfg| condition.path().is_ident(cfg));
        return in_tests.then_some(false);
    };
    let parts = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone());
    let parts: Vec<_> = parts.ok()?.iter().map(holds).collect();
    if list.path.is_ident("not") {
        parts.first().copied().flatten().map(|holds| !holds)
    } else {
        // one false condition decides `all`, one true condition decides `any`
        let settles = list.path.is_ident("any");
        if parts.contains(&Some(settles)) {
            Some(settles)
        } else if parts.contains(&None) {
            None
        } else {
            Some(!settles)
        }
    }
}

pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

pub(super) fn expression_attributes(expression: &Expr) -> &[Attribute] {
    match expression {
        Expr::Assign(expression) => &expression.attrs,
        Expr::Await(expression) => &expression.attrs,
        Expr::Block(expression) => &expression.attrs,
        Expr::Call(expression) => &expression.attrs,
        Expr::Field(expression) => &expression.attrs,
        Expr::ForLoop(expression) => &expression.attrs,
        Expr::If(expression) => &expression.attrs,
        Expr::Let(expression) => &expression.attrs,
        Expr::Loop(expression) => &expression.attrs,
        Expr::Macro(expression) => &expression.attrs,
        Expr::Match(expression) => &expression.attrs,
        Expr::MethodCall(expression) => &expression.attrs,
        Expr::Return(expression) => &expression.attrs,
        Expr::Struct(expression) => &expression.attrs,
        Expr::Unsafe(expression) => &expression.attrs,
        Expr::While(expression) => &expression.attrs,
        _ => &[],
    }
}
