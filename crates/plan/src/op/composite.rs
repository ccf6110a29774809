//! In which way the attributes of a composite type can be changed.

use super::EnumUse;
use crate::schema::{Attribute, CompositeType};

/// In which way the attributes of a composite type can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompositeWay {
    /// With `ALTER TYPE`, which adds attributes at the end, and changes the type of an attribute only
    /// where no column has the type.
    InPlace,
    /// The type is made anew and its columns are moved over.
    Anew,
    /// Not without losing what the rows have.
    None,
}

/// The way from one form of a composite type to another one. `embedded` says that another type is
/// made of it.
pub(crate) fn composite_way(
    from: &CompositeType,
    to: &CompositeType,
    uses: &[EnumUse],
    embedded: bool,
) -> CompositeWay {
    let names = |composite: &CompositeType| -> Vec<String> {
        let attributes = composite.attributes.iter();
        attributes.map(|attribute| attribute.name.clone()).collect()
    };
    let (old, new) = (names(from), names(to));
    let kept = old.iter().filter(|name| new.contains(name));
    let come = new.iter().filter(|name| !old.contains(name));
    let is_in_order = kept.chain(come).eq(&new);
    let is_stored = embedded || !uses.is_empty();
    let changes_types = from.attributes.iter().any(|old| {
        to.attribute(&old.name)
            .is_some_and(|new| !same_values(old, new))
    });
    if is_in_order && !(changes_types && is_stored) {
        CompositeWay::InPlace
    } else if !embedded && (old == new || uses.iter().all(|column| !column.is_array)) {
        // The elements of an array can only be moved over by their text, one attribute after another.
        CompositeWay::Anew
    } else {
        CompositeWay::None
    }
}

/// Whether the two attributes hold the same.
pub(crate) fn same_values(old: &Attribute, new: &Attribute) -> bool {
    (&old.attribute_type, &old.collation) == (&new.attribute_type, &new.collation)
}
