//! The Lua scripts, each of which is one atomic step at the server.
//!
//! Each call sends the whole script with `EVAL`: a few hundred bytes, a few times a minute. A server
//! that has just started or been promoted therefore needs no `SCRIPT LOAD`.

use std::time::Duration;

use redis::{Cmd, cmd};

use crate::format::{FORMAT, KeyNames, millis};

/// Returns the value and the milliseconds until it expires; `nil` if the key does not exist; 0 if it
/// holds another type than a string; 1 if it is larger than 1 MiB. A larger value is not copied into
/// the script, since the server would serve no other client for the time that takes.
const LOAD: &str = "\
local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'table' then
  if string.find(size.err, 'WRONGTYPE', 1, true) then return 0 end
  return size
end
if size > 1048576 then return 1 end
local value = redis.call('GET', KEYS[1])
if not value then return nil end
return {value, redis.call('PTTL', KEYS[1])}";

/// Returns the time by the server's clock, in milliseconds.
const TIME: &str = "\
local time = redis.call('TIME')
return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)";

/// Sets the value, unless the key holds a younger token; the value of that token is then returned.
/// The age of a stored token is its lifetime, which its value names, less the time until it expires.
/// A value of another type or format is overwritten, and so is the one passed as unreadable.
///
/// The caller passes the time at which the token ends, not its remaining lifetime: the command may
/// wait in the connection to a server that hangs, and the server may stop while it runs the script.
/// Neither makes the token look younger.
const SAVE: &str = "\
local value, expires_at, lifetime, unreadable, head = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local time = redis.call('TIME')
local left = expires_at - (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
if left < 1 then return nil end
if left > lifetime then
  expires_at = expires_at - (left - lifetime)
  left = lifetime
end
local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'number' and size <= 1048576 then
  local old = redis.call('GET', KEYS[1])
  local old_lifetime = old and old ~= unreadable and tonumber(string.match(old, head))
  local old_left = redis.call('PTTL', KEYS[1])
  if old_lifetime and old_left > 0 then
    local old_age = old_lifetime - old_left
    if old_age >= 0 and old_age < lifetime - left then return old end
  end
end
local set = redis.pcall('SET', KEYS[1], value, 'PX', string.format('%.0f', left))
if set.err then return set end
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', expires_at))
redis.pcall('PUBLISH', ARGV[6], 'saved')
return nil";

/// Acquires the lease if it is free. A key without expiry, or one that expires later than any lease
/// does, was not written by this library and is overwritten.
const ACQUIRE: &str = "\
local acquired = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
if not acquired then
  local left = redis.call('PTTL', KEYS[1])
  if left == -1 or left > tonumber(ARGV[3]) then
    acquired = redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  end
end
if acquired then return 1 end
return 0";

const RENEW: &str = "\
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

/// Keeps the lease from every process, its holder included, until the key expires.
const RELEASE_AFTER: &str = "\
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'backoff', 'PX', ARGV[2])
return 1";

const RELEASE: &str = "\
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.pcall('PUBLISH', ARGV[2], 'released') end
return 1";

/// The max duration of a lease, and the max delay before a lease is released.
pub(crate) const MAX_LEASE: Duration = Duration::from_secs(60);

/// A token that is to be saved.
pub(crate) struct NewToken<'a> {
    pub(crate) value: &'a [u8],
    /// By the server's clock, in milliseconds.
    pub(crate) expires_at: u64,
    pub(crate) lifetime: Duration,
}

pub(crate) fn load(names: &KeyNames) -> Cmd {
    eval(LOAD, &names.token)
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
        .arg(format!("^{FORMAT}:%w+:(%d+):"))
        .arg(&names.channel)
        .take()
}

pub(crate) fn acquire(names: &KeyNames, holder: &[u8], duration: Duration) -> Cmd {
    eval(ACQUIRE, &names.lease)
        .arg(holder)
        .arg(millis(duration))
        .arg(millis(MAX_LEASE))
        .take()
}

pub(crate) fn renew(names: &KeyNames, holder: &[u8], duration: Duration) -> Cmd {
    eval(RENEW, &names.lease)
        .arg(holder)
        .arg(millis(duration))
        .take()
}

pub(crate) fn release_after(names: &KeyNames, holder: &[u8], delay: Duration) -> Cmd {
    eval(RELEASE_AFTER, &names.lease)
        .arg(holder)
        .arg(millis(delay.min(MAX_LEASE)).max(1))
        .take()
}

/// Releases the lease and notifies the waiters.
pub(crate) fn release(names: &KeyNames, holder: &[u8]) -> Cmd {
    eval(RELEASE, &names.lease)
        .arg(holder)
        .arg(&names.channel)
        .take()
}

/// Releases a part of an incomplete lease. The waiters wait for another, complete lease, and are not
/// notified.
pub(crate) fn release_silently(names: &KeyNames, holder: &[u8]) -> Cmd {
    eval(RELEASE, &names.lease).arg(holder).arg("").take()
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
        let head = format!("^{FORMAT}:%w+:(%d+):");
        let save = eval(&format!("{STOPPED}{SAVE}"), key)
            .arg("auth1:plain:600000:x")
            .arg(expires_at)
            .arg(600_000)
            .arg("")
            .arg(head)
            .arg("no subscribers")
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
