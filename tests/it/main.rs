//! Behaviour, end to end, on loopback.
