//! Finds which module names which item of another module, and in which line.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Expr, ExprField, ExprMethodCall, FnArg, ImplItem, ImplItemFn, Item, ItemFn, ItemImpl,
    ItemTrait, Macro, Member, Pat, Path, Signature, Stmt, Token, TraitItem, TraitItemFn,
    Visibility,
    parse::Parser as _,
    punctuated::Punctuated,
    visit::{self, Visit},
};

use super::{
    names::{Names, Target},
    source::{ModuleId, Modules, attributes, expression_attributes, in_tests_only, unraw},
};

/// The module `from` names `what`, which the module `to` defines.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Use {
    pub(super) from: ModuleId,
    pub(super) to: ModuleId,
    pub(super) line: usize,
    pub(super) what: String,
}

/// Returns every use of one module's item by another module.
pub(super) fn find(modules: &Modules) -> Vec<Use> {
    let names = Names::new(modules);
    let mut uses = Vec::new();
    for (id, module) in modules.iter().enumerate() {
        let mut finder = Finder {
            names: &names,
            module: id,
            this: None,
            variables: HashMap::new(),
            uses: &mut uses,
        };
        for import in names.imports(id).iter().filter(|import| !import.re_export) {
            finder.path(&import.path, import.line);
        }
        module.items.iter().for_each(|item| finder.visit_item(item));
    }
    uses.sort();
    uses.dedup();
    uses
}

struct Finder<'a, 'b> {
    names: &'a Names<'a>,
    module: ModuleId,
    /// The type that `Self` names.
    this: Option<Target>,
    /// The types of parameters.
    variables: HashMap<String, Target>,
    uses: &'b mut Vec<Use>,
}

impl Finder<'_, '_> {
    fn path(&mut self, path: &[String], line: usize) {
        let found = match (path.first().map(String::as_str), &self.this) {
            (Some("Self"), Some(this)) => Some((this.clone(), path.len() - 1)),
            _ => self.names.resolve(self.module, path),
        };
        // a path to a module names no item
        let Some((target @ Target::Item(..), rest)) = found else {
            return;
        };
        if let Target::Item(to, _) = &target {
            self.add(*to, line, path.join("::"));
        }
        if rest > 0 {
            self.function(&target, &path[path.len() - rest], line, &path.join("::"));
        }
    }

    fn function(&mut self, target: &Target, function: &str, line: usize, what: &str) {
        for to in self.names.function(target, function) {
            self.add(*to, line, what.to_owned());
        }
    }

    fn add(&mut self, to: ModuleId, line: usize, what: String) {
        if to != self.module {
            let from = self.module;
            self.uses.push(Use {
                from,
                to,
                line,
                what,
            });
        }
    }

    /// Returns the type of a value, if the code states it.
    fn type_of(&self, value: &Expr) -> Option<Target> {
        match value {
            Expr::Path(path) => {
                let name = path.path.get_ident()?;
                if name == "self" {
                    self.this.clone()
                } else {
                    self.variables.get(&unraw(name)).cloned()
                }
            }
            Expr::Field(ExprField { base, member, .. }) => {
                let field = match member {
                    Member::Named(name) => unraw(name),
                    Member::Unnamed(position) => position.index.to_string(),
                };
                self.names.field(&self.type_of(base)?, &field)
            }
            Expr::Reference(reference) => self.type_of(&reference.expr),
            Expr::Paren(inner) => self.type_of(&inner.expr),
            _ => None,
        }
    }

    /// Visits the body of a function, with its parameters known.
    fn within(&mut self, signature: &Signature, visit: impl FnOnce(&mut Self)) {
        let mut variables = HashMap::new();
        for input in &signature.inputs {
            if let FnArg::Typed(input) = input
                && let Pat::Ident(name) = &*input.pat
                && let Some(target) = self.names.type_of(self.module, &input.ty)
            {
                variables.insert(unraw(&name.ident), target);
            }
        }
        let outside = std::mem::replace(&mut self.variables, variables);
        visit(self);
        self.variables = outside;
    }

    /// Visits the paths among tokens that are not an expression.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons, mut after_dot) = (0, 0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.path(&std::mem::take(&mut path), line);
                        line = ident.span().start().line;
                    }
                    if !(after_dot && path.is_empty()) {
                        path.push(unraw(&ident));
                    }
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.path(&std::mem::take(&mut path), line);
                    colons = 0;
                    after_dot = matches!(&other, TokenTree::Punct(dot) if dot.as_char() == '.');
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.path(&path, line);
    }
}

impl Visit<'_> for Finder<'_, '_> {
    fn visit_item(&mut self, item: &Item) {
        // imports are read elsewhere; modules within functions are rare, and left out
        if !in_tests_only(attributes(item)) && !matches!(item, Item::Use(_) | Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => return visit::visit_impl_item(self, item),
        };
        if !in_tests_only(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &TraitItem) {
        let in_tests = matches!(item, TraitItem::Fn(item) if in_tests_only(&item.attrs));
        if !in_tests {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_stmt(&mut self, statement: &Stmt) {
        let attributes = match statement {
            Stmt::Local(statement) => &statement.attrs,
            Stmt::Macro(statement) => &statement.attrs,
            Stmt::Expr(expression, _) => expression_attributes(expression),
            Stmt::Item(_) => &[],
        };
        if !in_tests_only(attributes) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_field(&mut self, field: &syn::Field) {
        if !in_tests_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_item_impl(&mut self, item: &ItemImpl) {
        let this = self.names.type_of(self.module, &item.self_ty);
        let outside = std::mem::replace(&mut self.this, this);
        visit::visit_item_impl(self, item);
        self.this = outside;
    }

    fn visit_item_trait(&mut self, item: &ItemTrait) {
        let outside = self.this.take();
        visit::visit_item_trait(self, item);
        self.this = outside;
    }

    fn visit_item_fn(&mut self, item: &ItemFn) {
        self.within(&item.sig, |finder| visit::visit_item_fn(finder, item));
    }

    fn visit_impl_item_fn(&mut self, item: &ImplItemFn) {
        self.within(&item.sig, |finder| visit::visit_impl_item_fn(finder, item));
    }

    fn visit_trait_item_fn(&mut self, item: &TraitItemFn) {
        self.within(&item.sig, |finder| visit::visit_trait_item_fn(finder, item));
    }

    /// `pub(in crate::a)` names no item.
    fn visit_visibility(&mut self, _: &Visibility) {}

    fn visit_attribute(&mut self, _: &syn::Attribute) {}

    fn visit_path(&mut self, path: &Path) {
        if path.leading_colon.is_none() {
            let segments: Vec<_> = path.segments.iter().map(|s| unraw(&s.ident)).collect();
            let line = path
                .segments
                .first()
                .map_or(0, |s| s.ident.span().start().line);
            self.path(&segments, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        if let Some(target) = self.type_of(&call.receiver) {
            let (method, line) = (unraw(&call.method), call.method.span().start().line);
            self.function(&target, &method, line, &format!(".{method}()"));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &Macro) {
        self.visit_path(&call.path);
        let expressions = Punctuated::<Expr, Token![,]>::parse_terminated;
        match expressions.parse2(call.tokens.clone()) {
            Ok(expressions) => expressions.iter().for_each(|e| self.visit_expr(e)),
            Err(_) => self.tokens(call.tokens.clone()),
        }
    }
}
