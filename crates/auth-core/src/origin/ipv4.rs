//! IPv4 addresses in the forms that resolvers and WHATWG URL parsers read.

use std::net::Ipv4Addr;

/// Returns whether resolvers and WHATWG URL parsers may read a name with this last label as an IPv4
/// address.
pub(super) fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or(label.strip_prefix("0X")) {
        Some(hex) => hex.bytes().all(|octet| octet.is_ascii_hexdigit()),
        None => label.bytes().all(|octet| octet.is_ascii_digit()),
    }
}

/// Reads an address of one to four numbers, each decimal, octal (`0…`) or hexadecimal (`0x…`). The
/// last number fills the remaining octets. A final dot is ignored.
///
/// These are the forms of `inet_aton` and of the URL standard (WHATWG URL §3.5). An origin is never
/// compared in this form; see [`Host::parse`](super::host::Host::parse).
pub(super) fn parse_any_form(host: &str) -> Option<Ipv4Addr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let numbers: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|number| *number > 255) {
        return None;
    }
    let octets_left = 4 - u32::try_from(first.len()).ok()?;
    if *last >= 1 << (8 * octets_left) {
        return None;
    }
    let shifts = [24, 16, 8];
    let upper = first.iter().zip(shifts).map(|(number, by)| number << by);
    let address = upper.fold(*last, |sum, octet| sum | octet);
    u32::try_from(address).ok().map(Ipv4Addr::from)
}

fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some("") => return Some(0),
        Some(hex) => (hex, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // from_str_radix() alone would accept "+7"
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_an_address_are_read() {
        for form in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "0x7f.1",
            "0X7F.0.0.0x1",
            "0177.1",
            "0177.0.0.01",
            "2130706433",
            "0x7f000001",
            "017700000001",
            "127.0x.1",
        ] {
            assert_eq!(parse_any_form(form), Some(Ipv4Addr::LOCALHOST), "{form}");
        }
        assert_eq!(parse_any_form("255.255.255.255"), Some(Ipv4Addr::BROADCAST));
        assert_eq!(parse_any_form("4294967295"), Some(Ipv4Addr::BROADCAST));
    }

    #[test]
    fn other_names_are_no_address() {
        for name in [
            "",
            ".",
            "api.example.com",
            "1.2.3.4.5",
            "256.1",
            "127.0.0.256",
            "4294967296",
            "08.1",
            "0xg",
            "+1",
            "1..2",
            "99999999999999999999999",
            "127.0.0.1..",
        ] {
            assert_eq!(parse_any_form(name), None, "{name}");
        }
    }
}
