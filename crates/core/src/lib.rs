pub mod compare;
pub mod inspect;
