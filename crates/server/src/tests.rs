//! The endpoints over made-up databases: every route in every state, without a listener.

mod contract;
pub(crate) mod fake;
mod gate;
mod limits;
mod load;
mod numbers;
mod probes;
mod schema;
mod status;
