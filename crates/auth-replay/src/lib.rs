#![doc = include_str!("../README.md")]
//!
//! # Items
//!
//! | task | item |
//! |---|---|
//! | replay the common body types | [`Bounded`] ([`Recording`]) |
//! | replay every body that is `Clone` | [`CloneBody`] |
//! | turn replays off | [`NoReplay`] |
//! | replay other bodies | [`Replay`] |

// `bounded` is the default strategy, and `supported_bodies` lists the types that it can keep. A body
// that can be read only once is sent as a `recorded_body`; a `replayed_body` sends its recorded frames
// and then the rest of it.
// Dependencies: bounded → supported_bodies → recording → recorded_body → replayed_body → frames.
mod bounded;
mod boxed_body;
mod frames;
mod recorded_body;
mod recording;
mod replay;
mod replayed_body;
mod supported_bodies;
mod without_recording;

pub use bounded::Bounded;
pub use recording::Recording;
pub use replay::Replay;
pub use without_recording::{CloneBody, NoReplay};
