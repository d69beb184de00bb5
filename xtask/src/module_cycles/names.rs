//! Resolves a name in a module, through imports and re-exports, to the item that it names.

use std::collections::{HashMap, HashSet};

use syn::{Fields, ImplItem, Item, ItemUse, Type, UseTree, Visibility, visit::Visit};

use super::source::{ModuleId, Modules, in_tests_only, unraw};

/// The target of a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Target {
    Module(ModuleId),
    Item(ModuleId, String),
}

/// An imported name.
#[derive(Clone, Debug)]
pub(super) struct Import {
    /// `None`: all names of the path's target.
    pub(super) name: Option<String>,
    pub(super) path: Vec<String>,
    /// A re-export, which the module itself does not use.
    pub(super) re_export: bool,
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) struct Names<'a> {
    modules: &'a Modules,
    items: Vec<HashSet<String>>,
    imports: Vec<Vec<Import>>,
    /// The modules that define the inherent functions of a type.
    functions: HashMap<Target, HashMap<String, Vec<ModuleId>>>,
    /// The types of the fields of a type, with the module they are written in.
    fields: HashMap<Target, HashMap<String, Type>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(modules: &'a Modules) -> Self {
        let mut names = Self {
            modules,
            items: Vec::new(),
            imports: Vec::new(),
            functions: HashMap::new(),
            fields: HashMap::new(),
        };
        for module in modules {
            names
                .items
                .push(module.items.iter().filter_map(defined).collect());
            let mut imports = Imports(Vec::new());
            module
                .items
                .iter()
                .for_each(|item| imports.visit_item(item));
            names.imports.push(imports.0);
        }
        for (id, module) in modules.iter().enumerate() {
            for item in &module.items {
                names.note_members(id, item);
            }
        }
        names
    }

    fn note_members(&mut self, module: ModuleId, item: &Item) {
        match item {
            Item::Impl(item) if item.trait_.is_none() => {
                let Some(target) = self.type_of(module, &item.self_ty) else {
                    return;
                };
                let functions = self.functions.entry(target).or_default();
                for item in &item.items {
                    if let ImplItem::Fn(function) = item
                        && !in_tests_only(&function.attrs)
                    {
                        let places = functions.entry(unraw(&function.sig.ident)).or_default();
                        places.push(module);
                    }
                }
            }
            Item::Struct(item) => {
                let fields = match &item.fields {
                    Fields::Named(fields) => &fields.named,
                    Fields::Unnamed(fields) => &fields.unnamed,
                    Fields::Unit => return,
                };
                let named = fields.iter().enumerate().map(|(position, field)| {
                    let name = field
                        .ident
                        .as_ref()
                        .map_or_else(|| position.to_string(), unraw);
                    (name, field.ty.clone())
                });
                let target = Target::Item(module, unraw(&item.ident));
                self.fields.insert(target, named.collect());
            }
            _ => {}
        }
    }

    pub(super) fn imports(&self, module: ModuleId) -> &[Import] {
        &self.imports[module]
    }

    /// The modules that define the inherent function `function` of `target`.
    pub(super) fn function(&self, target: &Target, function: &str) -> &[ModuleId] {
        let functions = self.functions.get(target);
        functions
            .and_then(|all| all.get(function))
            .map_or(&[], Vec::as_slice)
    }

    /// The type of a field of `target`.
    pub(super) fn field(&self, target: &Target, field: &str) -> Option<Target> {
        let Target::Item(module, _) = target else {
            return None;
        };
        self.type_of(*module, self.fields.get(target)?.get(field)?)
    }

    /// Returns the item that a type written in `module` names, if the crate defines it. References and smart
    /// pointers count as the type that they point to.
    pub(super) fn type_of(&self, module: ModuleId, written: &Type) -> Option<Target> {
        match written {
            Type::Reference(reference) => self.type_of(module, &reference.elem),
            Type::Paren(inner) => self.type_of(module, &inner.elem),
            Type::Path(path) => {
                let last = path.path.segments.last()?;
                let pointer = ["Arc", "Box", "Rc", "Pin"]
                    .iter()
                    .any(|name| last.ident == name);
                if let (true, syn::PathArguments::AngleBracketed(arguments)) =
                    (pointer, &last.arguments)
                    && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
                {
                    return self.type_of(module, inner);
                }
                let segments = path
                    .path
                    .segments
                    .iter()
                    .map(|segment| unraw(&segment.ident));
                let (target, rest) = self.resolve(module, &segments.collect::<Vec<_>>())?;
                (rest == 0).then_some(target)
            }
            _ => None,
        }
    }

    /// Returns the target of `path`, written in `module`, and how many segments follow it: the names of
    /// variants and functions. `None` if the path leaves the crate, or names a local variable.
    pub(super) fn resolve(&self, module: ModuleId, path: &[String]) -> Option<(Target, usize)> {
        self.follow(module, path, &mut HashSet::new())
    }

    fn follow(
        &self,
        module: ModuleId,
        path: &[String],
        tried: &mut HashSet<(ModuleId, usize)>,
    ) -> Option<(Target, usize)> {
        let mut at = module;
        let mut rest = path;
        // `crate`, `self` and `super` are the only ways upwards, and stand first
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" => at = 0,
                "self" => {}
                "super" => at = self.modules[at].parent?,
                _ => break,
            }
            rest = others;
        }
        let Some((name, others)) = rest.split_first() else {
            return Some((Target::Module(at), 0));
        };
        let child = self.modules[at]
            .children
            .iter()
            .find(|(child, _)| child == name);
        let item = self.items[at].contains(name);
        // a module and a function may have the same name; a path that continues after it is no function
        match child {
            Some(&(_, child)) if !others.is_empty() || !item => {
                return if others.is_empty() {
                    Some((Target::Module(child), 0))
                } else {
                    let within: Vec<_> =
                        ["self".to_owned()].iter().chain(others).cloned().collect();
                    self.follow(child, &within, tried)
                };
            }
            _ => {}
        }
        if item {
            return Some((Target::Item(at, name.clone()), others.len()));
        }
        let (named, globs): (Vec<_>, Vec<_>) = self.imports[at]
            .iter()
            .enumerate()
            .filter(|(_, import)| import.name.as_ref().is_none_or(|import| import == name))
            .partition(|(_, import)| import.name.is_some());
        for (position, import) in named.into_iter().chain(globs) {
            // each import once: the first name of its path is resolved in the same module
            if !tried.insert((at, position)) {
                continue;
            }
            let after = if import.name.is_some() { others } else { rest };
            let full: Vec<_> = import.path.iter().chain(after).cloned().collect();
            match self.follow(at, &full, tried) {
                // `use Enum::*`: the variants of the enum are not known
                Some((Target::Item(..), left)) if import.name.is_none() && left > others.len() => {}
                Some(found) => return Some(found),
                None => {}
            }
        }
        None
    }
}

/// The name of an item that has one and can be imported.
fn defined(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(unraw(ident))
}

/// Collects imports. Those within functions count as imports of the whole module.
struct Imports(Vec<Import>);

impl Visit<'_> for Imports {
    fn visit_item(&mut self, item: &Item) {
        if !in_tests_only(super::source::attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        // `use ::name::…` names another crate
        if item.leading_colon.is_none() {
            let re_export = !matches!(item.vis, Visibility::Inherited);
            self.add(&item.tree, &[], re_export);
        }
    }
}

impl Imports {
    fn add(&mut self, tree: &UseTree, before: &[String], re_export: bool) {
        let with = |last: &syn::Ident| {
            let mut path = before.to_vec();
            path.push(unraw(last));
            path
        };
        let (name, path, line) = match tree {
            UseTree::Path(tree) => {
                return self.add(&tree.tree, &with(&tree.ident), re_export);
            }
            UseTree::Group(tree) => {
                return tree
                    .items
                    .iter()
                    .for_each(|tree| self.add(tree, before, re_export));
            }
            UseTree::Name(tree) if tree.ident == "self" => {
                (before.last().cloned(), before.to_vec(), line(&tree.ident))
            }
            UseTree::Name(tree) => (
                Some(unraw(&tree.ident)),
                with(&tree.ident),
                line(&tree.ident),
            ),
            UseTree::Rename(tree) => (
                Some(unraw(&tree.rename)),
                with(&tree.ident),
                line(&tree.ident),
            ),
            UseTree::Glob(tree) => (None, before.to_vec(), tree.star_token.spans[0].start().line),
        };
        self.0.push(Import {
            name,
            path,
            re_export,
            line,
        });
    }
}

fn line(ident: &syn::Ident) -> usize {
    ident.span().start().line
}
