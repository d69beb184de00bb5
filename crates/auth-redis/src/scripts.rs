//! The Lua scripts, each of which is one atomic step at the server.
//!
//! Each call sends the whole script with `EVAL`: a few hundred bytes, a few times a minute. A server
//! that has just started or been promoted therefore needs no `SCRIPT LOAD`.

use std::time::Duration;

use redis::{Cmd, cmd};

use crate::format::{FORMAT, KeyNames, MAX_VALUE, millis};

/// Returns the value, the milliseconds until it expires, and the time by the server's clock in
/// milliseconds; `nil` if the key does not exist; 0 if it holds another type than a string; 1 if it
/// is too large. A larger value is not copied into the script, since the server would serve no other
/// client for the time that takes.
const LOAD: &str = "\
local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'table' then
  if string.find(size.err, 'WRONGTYPE', 1, true) then return 0 end
  return size
end
if size > tonumber(ARGV[1]) then return 1 end
local value = redis.call('GET', KEYS[1])
if not value then return nil end
local time = redis.call('TIME')
return {value, redis.call('PTTL', KEYS[1]), tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)}";

/// Returns the time by the server's clock, in milliseconds.
const TIME: &str = "\
local time = redis.call('TIME')
return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)";

/// Sets the value, unless the key holds a younger token; the value of that token is then returned.
/// The age of a stored token is its lifetime, less the time until its end, both of which its value
/// names, or until its key expires. A value of another type or format is overwritten, and so is the
/// one passed as unreadable.
///
/// The value names the time at which the token ends, not its remaining lifetime: the command may
/// wait in the connection to a server that hangs, and the server may stop while it runs the script.
/// Neither makes the token look younger. If the server's clock was set back since the value was
/// sealed, the value is not set, since no process could use it.
const SAVE: &str = "\
local value, expires_at, lifetime, unreadable, head = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local max = tonumber(ARGV[7])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local left = expires_at - now
if left < 1 or left > lifetime + 1000 then return nil end
local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'number' and size <= max then
  local old = redis.call('GET', KEYS[1])
  local old_lifetime, old_end
  if old and old ~= unreadable then old_lifetime, old_end = string.match(old, head) end
  if old_lifetime then
    local old_left = tonumber(old_end) - now
    local expiry = redis.call('PTTL', KEYS[1])
    if expiry >= 0 and expiry < old_left then old_left = expiry end
    local old_age = tonumber(old_lifetime) - old_left
    if old_left > 0 and old_age >= 0 and old_age < lifetime - left then return old end
  end
end
local set = redis.pcall('SET', KEYS[1], value, 'PX', string.format('%.0f', left))
if set.err then return set end
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', expires_at))
redis.pcall('PUBLISH', ARGV[6], 'saved')
return nil";

/// Begins the scripts of a lease: `now` is the time by the server's clock in milliseconds, `seen` the
/// value of the lease. It is empty if there is none, and the text `unreadable`, which is no lease
/// either, if the key holds another type than a string or a text that is too long.
macro_rules! lease_script {
    ($rest:literal) => {
        concat!(
            "\
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local seen = redis.pcall('STRLEN', KEYS[1])
if type(seen) == 'table' then
  if not string.find(seen.err, 'WRONGTYPE', 1, true) then return seen end
  seen = 'unreadable'
elseif seen > 256 then
  seen = 'unreadable'
else
  seen = redis.call('GET', KEYS[1]) or ''
end
",
            $rest
        )
    };
}

/// Returns the time and the value of the lease.
const LOOK: &str = lease_script!("return {now, seen}");

/// Replaces the value of the lease that was seen before. If it is another one now, returns the time
/// and the value.
const REPLACE: &str = lease_script!(
    "\
if seen ~= ARGV[1] then return {now, seen} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return nil"
);

/// Removes the value of the lease that was seen before.
const REMOVE: &str = lease_script!(
    "\
if seen ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.pcall('PUBLISH', ARGV[2], 'released') end
return 1"
);

/// A token that is to be saved.
pub(crate) struct NewToken<'a> {
    pub(crate) value: &'a [u8],
    /// By the server's clock, in milliseconds.
    pub(crate) expires_at: u64,
    pub(crate) lifetime: Duration,
}

pub(crate) fn load(names: &KeyNames) -> Cmd {
    eval(LOAD, &names.token).arg(MAX_VALUE).take()
}

pub(crate) fn time(names: &KeyNames) -> Cmd {
    eval(TIME, &names.token)
}

pub(crate) fn save(names: &KeyNames, token: &NewToken<'_>, unreadable: &[u8]) -> Cmd {
    eval(SAVE, &names.token)
        .arg(token.value)
        .arg(token.expires_at)
        .arg(millis(token.lifetime))
        .arg(unreadable)
        .arg(head_pattern())
        .arg(&names.channel)
        .arg(MAX_VALUE)
        .take()
}

/// Finds the lifetime and the end in a value.
fn head_pattern() -> String {
    format!("^{FORMAT}:%w+:(%d+):(%d+):")
}

pub(crate) fn look(names: &KeyNames) -> Cmd {
    eval(LOOK, &names.lease)
}

pub(crate) fn replace(names: &KeyNames, seen: &[u8], value: &str, duration: Duration) -> Cmd {
    eval(REPLACE, &names.lease)
        .arg(seen)
        .arg(value)
        .arg(millis(duration).max(1))
        .take()
}

/// Removes the lease and, with a channel, notifies the waiters.
pub(crate) fn remove(names: &KeyNames, seen: &[u8], channel: &str) -> Cmd {
    eval(REMOVE, &names.lease).arg(seen).arg(channel).take()
}

fn eval(script: &str, key: &str) -> Cmd {
    cmd("EVAL").arg(script).arg(1).arg(key).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Precedes a script and makes time pass before the script sets a value, as when the server is
    /// stopped there. It counts, because the clock of a script stands still.
    const STOPPED: &str = "\
local real = redis
local redis = {pcall = function(command, ...)
  if command == 'SET' then
    for _ = 1, 20000000 do end
  end
  return real.pcall(command, ...)
end, call = real.call}
";

    #[tokio::test]
    #[ignore = "needs a Redis server, which `cargo xtask test` starts"]
    async fn a_server_that_stops_during_a_save_does_not_make_the_token_younger() {
        let url = std::env::var("AUTH_TEST_REDIS_URL").expect("run `cargo xtask test`");
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let key = "stopped during a save";
        let time = eval(TIME, key);
        let now: u64 = time.query_async(&mut connection).await.unwrap();
        let expires_at = now + 10_000;
        let save = eval(&format!("{STOPPED}{SAVE}"), key)
            .arg(format!("auth2:plain:600000:{expires_at}:x"))
            .arg(expires_at)
            .arg(600_000)
            .arg("")
            .arg(head_pattern())
            .arg("no subscribers")
            .arg(MAX_VALUE)
            .take();
        let () = save.query_async(&mut connection).await.unwrap();
        let now: u64 = time.query_async(&mut connection).await.unwrap();
        let left: u64 = cmd("PTTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!(
            now + left <= expires_at + 10,
            "{left} ms left of {}",
            expires_at - now
        );
        assert!(left > 9_000, "{left}");
    }
}
