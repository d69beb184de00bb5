//! Has dependencies only. `.ci/run` compares what it links with what `auth-tower` links.
