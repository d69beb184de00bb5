//! What has to happen at the server in one step.
//!
//! They are sent in full each time, with `EVAL`: a few hundred bytes, some times a minute. In return
//! no server has to know them beforehand: none that has just started, and none that took over.

use std::time::Duration;

use redis::{Cmd, cmd};

use crate::{
    names::Names,
    value::{FORMAT, millis},
};

/// The value and how many milliseconds it will still be kept; `nil` if there is none; 0 in place of
/// both if it is not a string, 1 if it is larger than any token: that one is not even copied into the
/// script, which would keep the server from everybody else for the time it takes.
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

/// The server's clock, in milliseconds.
const TIME: &str = "\
local time = redis.call('TIME')
return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)";

/// Sets the value, unless one stands there whose token is younger; that one is the answer then. The
/// age of a token is its lifetime, which its value tells, less the time for which it is kept.
/// Nothing of another type or format, nor what the caller has found unreadable, is spared.
///
/// It says when the token ends, and not how much is left of it: it may lie in a connection for long
/// before a server that hung gets to it, or the server may stop in the midst of this, and a token
/// must not look younger for that.
const SAVE: &str = "\
local value, ends, lifetime, unreadable, head = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local time = redis.call('TIME')
local left = ends - (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
if left < 1 then return nil end
if left > lifetime then
  ends = ends - (left - lifetime)
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
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ends))
redis.pcall('PUBLISH', ARGV[6], 'saved')
return nil";

/// Takes the lease if nobody has it. One that never ends, or not before longer than any of ours
/// lasts, is none of ours.
const LEASE: &str = "\
local taken = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
if not taken then
  local left = redis.call('PTTL', KEYS[1])
  if left == -1 or left > tonumber(ARGV[3]) then
    taken = redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  end
end
if taken then return 1 end
return 0";

const RENEW: &str = "\
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

/// Leaves the lease to nobody until it ends.
const PAUSE: &str = "\
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'pause', 'PX', ARGV[2])
return 1";

const RELEASE: &str = "\
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.pcall('PUBLISH', ARGV[2], 'released') end
return 1";

/// No lease lasts longer, and no pause after one.
pub(crate) const LONGEST_LEASE: Duration = Duration::from_secs(60);

/// What is to be saved.
pub(crate) struct Entry<'a> {
    pub(crate) value: &'a [u8],
    /// By the server's clock, in milliseconds.
    pub(crate) ends: u64,
    pub(crate) lifetime: Duration,
}

pub(crate) fn load(names: &Names) -> Cmd {
    eval(LOAD, &names.token)
}

pub(crate) fn time(names: &Names) -> Cmd {
    eval(TIME, &names.token)
}

pub(crate) fn save(names: &Names, entry: &Entry<'_>, unreadable: &[u8]) -> Cmd {
    eval(SAVE, &names.token)
        .arg(entry.value)
        .arg(entry.ends)
        .arg(millis(entry.lifetime))
        .arg(unreadable)
        .arg(format!("^{FORMAT}:%w+:(%d+):"))
        .arg(&names.channel)
        .take()
}

pub(crate) fn lease(names: &Names, owner: &[u8], time: Duration) -> Cmd {
    eval(LEASE, &names.lease)
        .arg(owner)
        .arg(millis(time))
        .arg(millis(LONGEST_LEASE))
        .take()
}

pub(crate) fn renew(names: &Names, owner: &[u8], time: Duration) -> Cmd {
    eval(RENEW, &names.lease)
        .arg(owner)
        .arg(millis(time))
        .take()
}

pub(crate) fn pause(names: &Names, owner: &[u8], time: Duration) -> Cmd {
    eval(PAUSE, &names.lease)
        .arg(owner)
        .arg(millis(time.min(LONGEST_LEASE)).max(1))
        .take()
}

/// Gives the lease back, and tells those who wait.
pub(crate) fn release(names: &Names, owner: &[u8]) -> Cmd {
    eval(RELEASE, &names.lease)
        .arg(owner)
        .arg(&names.channel)
        .take()
}

/// Gives back one that was never used; who waits for it waits for another one as well.
pub(crate) fn release_quietly(names: &Names, owner: &[u8]) -> Cmd {
    eval(RELEASE, &names.lease).arg(owner).arg("").take()
}

fn eval(script: &str, key: &str) -> Cmd {
    cmd("EVAL").arg(script).arg(1).arg(key).take()
}

#[cfg(all(test, feature = "interop"))]
mod tests {
    use super::*;

    /// What stands before a script to let time go by before it sets a value, as a server that was
    /// stopped there does. Its sandbox has no clock that does not stand still.
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
    async fn a_server_that_stops_in_the_midst_of_a_save_makes_no_token_younger() {
        let url = std::env::var("AUTH_TEST_REDIS_URL").expect("run `cargo xtask test`");
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let key = "stopped in the midst";
        let time = eval(TIME, key);
        let now: u64 = time.query_async(&mut connection).await.unwrap();
        let ends = now + 10_000;
        let head = format!("^{FORMAT}:%w+:(%d+):");
        let save = eval(&format!("{STOPPED}{SAVE}"), key)
            .arg("auth1:plain:600000:x")
            .arg(ends)
            .arg(600_000)
            .arg("")
            .arg(head)
            .arg("nobody listens")
            .take();
        let () = save.query_async(&mut connection).await.unwrap();
        let now: u64 = time.query_async(&mut connection).await.unwrap();
        let left: u64 = cmd("PTTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!(now + left <= ends + 10, "{left} ms left of {}", ends - now);
        assert!(left > 9_000, "{left}");
    }
}
