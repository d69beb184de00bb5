//! Reads DER (X.690): the structure around keys, and no more than these need.

use untrusted::{Input, Reader};

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
/// The tag of an explicit `[0]`.
pub(crate) const CONTEXT_0: u8 = 0xA0;
/// The tag of an explicit `[1]`.
pub(crate) const CONTEXT_1: u8 = 0xA1;

/// The octets are not what they were expected to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Malformed;

/// Reads all of `der` as one value with `tag`, and all of its content by `read`.
pub(crate) fn whole<'a, T>(
    der: &'a [u8],
    tag: u8,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    Input::from(der).read_all(Malformed, |reader| nested(reader, tag, read))
}

/// Reads a value with `tag`, and all of its content by `read`.
pub(crate) fn nested<'a, T>(
    reader: &mut Reader<'a>,
    tag: u8,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    Input::from(value(reader, tag)?).read_all(Malformed, read)
}

/// Reads the content of a value with `tag`.
pub(crate) fn value<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<&'a [u8], Malformed> {
    let (found, content) = any(reader)?;
    if found == tag {
        Ok(content)
    } else {
        Err(Malformed)
    }
}

/// Reads the content of a value with `tag`, if the next value has that tag.
pub(crate) fn optional<'a>(
    reader: &mut Reader<'a>,
    tag: u8,
) -> Result<Option<&'a [u8]>, Malformed> {
    if reader.peek(tag) {
        value(reader, tag).map(Some)
    } else {
        Ok(None)
    }
}

/// Reads a bit string of whole octets.
pub(crate) fn bit_string<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    match value(reader, BIT_STRING)?.split_first() {
        Some((0, octets)) => Ok(octets),
        _ => Err(Malformed),
    }
}

/// Reads an integer that is not negative, without its leading zeros.
pub(crate) fn unsigned<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    match value(reader, INTEGER)? {
        octets @ [first, ..] if first & 0x80 == 0 => Ok(without_leading_zeros(octets)),
        _ => Err(Malformed),
    }
}

/// Reads a value of any tag.
pub(crate) fn any<'a>(reader: &mut Reader<'a>) -> Result<(u8, &'a [u8]), Malformed> {
    let tag = octet(reader)?;
    let length = match octet(reader)? {
        short @ 0..=0x7F => usize::from(short),
        0x81 => usize::from(octet(reader)?),
        0x82 => usize::from(octet(reader)?) << 8 | usize::from(octet(reader)?),
        // no key and no certificate is as long
        _ => return Err(Malformed),
    };
    let content = reader.read_bytes(length).map_err(|_| Malformed)?;
    Ok((tag, content.as_slice_less_safe()))
}

fn octet(reader: &mut Reader<'_>) -> Result<u8, Malformed> {
    reader.read_byte().map_err(|_| Malformed)
}

/// Returns a big-endian number without its leading zeros.
pub(crate) fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number, an option and a bit string.
    type Parts = (Vec<u8>, Option<Vec<u8>>, Vec<u8>);

    fn parts(der: &[u8]) -> Result<Parts, Malformed> {
        whole(der, SEQUENCE, |reader| {
            let number = unsigned(reader)?.to_vec();
            let option = optional(reader, CONTEXT_0)?.map(<[u8]>::to_vec);
            Ok((number, option, bit_string(reader)?.to_vec()))
        })
    }

    #[test]
    fn values_are_read_in_turn() {
        let der = b"\x30\x0D\x02\x03\x00\x81\x02\xA0\x01\x07\x03\x03\x00\xAA\xBB";
        assert_eq!(
            parts(der),
            Ok((vec![0x81, 2], Some(vec![7]), vec![0xAA, 0xBB]))
        );
        let without = b"\x30\x81\x07\x02\x01\x00\x03\x02\x00\xAA";
        assert_eq!(parts(without), Ok((vec![], None, vec![0xAA])));
    }

    #[test]
    fn what_is_missing_left_over_or_of_another_kind_is_malformed() {
        let good = b"\x30\x07\x02\x01\x05\x03\x02\x00\xAA";
        assert!(parts(good).is_ok());
        for length in 0..good.len() {
            assert_eq!(parts(&good[..length]), Err(Malformed), "{length}");
        }
        for bad in [
            &b"\x30\x07\x02\x01\x05\x03\x02\x00\xAA\x00"[..], // left over outside
            b"\x30\x08\x02\x01\x05\x03\x02\x00\xAA\x00",      // left over inside
            b"\x31\x07\x02\x01\x05\x03\x02\x00\xAA",          // another tag
            b"\x30\x07\x02\x01\x85\x03\x02\x00\xAA",          // a negative number
            b"\x30\x07\x02\x01\x05\x03\x02\x01\xAA",          // not whole octets
            b"\x30\x80\x02\x01\x05\x03\x02\x00\xAA\0\0",      // an indefinite length
            b"\x30\x83\0\0\x07\x02\x01\x05\x03\x02\x00\xAA",
        ] {
            assert_eq!(parts(bad), Err(Malformed), "{bad:x?}");
        }
    }
}
