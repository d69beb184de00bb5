/// The fallback of [`assert_auto_traits`](crate::assert_auto_traits) for types that do not implement a trait.
/// An inherent constant shadows it for types that do.
pub trait Otherwise {
    /// Whether the trait is implemented.
    const YES: bool = false;
}

/// Asserts that each type implements exactly the listed traits of `Send`, `Sync`, `Unpin` and `Clone`.
#[macro_export]
macro_rules! assert_auto_traits {
    (@implements $type:ty, $trait:path) => {{
        use $crate::Otherwise as _;
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        impl<T: ?Sized> $crate::Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "used where the type implements the trait")]
        impl<T: ?Sized + $trait> Probe<T> {
            const YES: bool = true;
        }
        <Probe<$type>>::YES
    }};
    ($($type:ty: $traits:literal,)*) => {
        $({
            let mut found = Vec::new();
            found.extend($crate::assert_auto_traits!(@implements $type, Send).then_some("Send"));
            found.extend($crate::assert_auto_traits!(@implements $type, Sync).then_some("Sync"));
            found.extend($crate::assert_auto_traits!(@implements $type, Unpin).then_some("Unpin"));
            found.extend($crate::assert_auto_traits!(@implements $type, Clone).then_some("Clone"));
            assert_eq!(found.join(" "), $traits, "{}", stringify!($type));
        })*
    };
}
