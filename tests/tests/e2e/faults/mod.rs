//! What production does to a run: processes killed at every point, many started at once, poolers in
//! between, sessions ended from outside. One module for each kind of blow.
