use super::*;

/// Returns each challenge's scheme, followed by its parameters as `name=value`. Leaves out the
/// parameters before the first scheme.
fn read(line: &str) -> Vec<String> {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    let mut words = Vec::new();
    for part in Parts::new(line.as_bytes()) {
        match part {
            Part::Scheme(scheme) => words.push(text(scheme)),
            Part::Parameter(name, value) if !words.is_empty() => {
                let value: Vec<u8> = value.octets().collect();
                words.push(format!("{}={}", text(name), text(&value)));
            }
            Part::Parameter(..) | Part::Token68 | Part::Malformed => {}
        }
    }
    words
}

#[test]
fn rfc9110_11_6_1_two_challenges_in_one_line() {
    assert_eq!(
        read(r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#),
        [
            "Basic",
            "realm=simple",
            "Newauth",
            "realm=apps",
            "type=1",
            r#"title=Login to "apps""#
        ]
    );
}

#[test]
fn rfc9110_11_2_a_token68_is_distinguished_from_a_parameter() {
    for token68 in ["YII", "YII=", "YII==", "YII/b+c~d._-==", "==", "a=="] {
        let line = format!("Negotiate {token68} , Bearer a=b");
        let expected: &[&str] = match token68 {
            "==" => &[],
            _ => &["Negotiate", "Bearer", "a=b"],
        };
        assert_eq!(read(&line), expected, "{line}");
    }
    assert_eq!(
        read("Bearer a=b, Negotiate YII="),
        ["Bearer", "a=b", "Negotiate"]
    );
    assert_eq!(read("Negotiate a=b"), ["Negotiate", "a=b"]);
}

#[test]
fn rfc9110_5_6_1_empty_elements_are_skipped() {
    for line in [
        "Bearer a=b, c=d",
        ",, ,Bearer a=b,\t,c=d,,",
        "Bearer ,a=b,c=d",
        "Bearer,a=b,c=d",
    ] {
        assert_eq!(read(line), ["Bearer", "a=b", "c=d"], "{line}");
    }
    for nothing in ["", " ", ",", " ,\t,"] {
        assert!(read(nothing).is_empty());
    }
    assert_eq!(read("Bearer"), ["Bearer"]);
    assert_eq!(
        read("Negotiate, NTLM,Bearer "),
        ["Negotiate", "NTLM", "Bearer"]
    );
}

#[test]
fn rfc9110_5_6_3_whitespace_may_stand_around_the_equals_sign() {
    let line = "Bearer \t realm = \"x\" ,error\t=\tinvalid_token\t";
    assert_eq!(read(line), ["Bearer", "realm=x", "error=invalid_token"]);
}

#[test]
fn rfc9110_5_6_4_quoted_strings_hold_commas_escapes_and_any_text() {
    assert_eq!(
        read(r#"Bearer a="x, Basic realm=\"y\"", b="\\", c="", d="\é=é""#),
        ["Bearer", r#"a=x, Basic realm="y""#, r"b=\", "c=", "d=é=é"]
    );
}

#[test]
fn a_malformed_part_ends_the_line_and_the_parts_before_it_count() {
    for junk in [
        r#"error_description="no end"#,
        r#"error_description="no end \""#,
        r#"error_description="a "quoted" word""#,
        "error_uri=https://api.example/errors?a=b",
        "error_description=",
        "error_description =",
        "@",
        "\u{1}",
        "\"",
        "= x",
        "Basic:",
        "Basic@a=b",
    ] {
        let line = format!("Basic realm=x, Bearer error=invalid_token, {junk}, Bearer a=b");
        let expected = ["Basic", "realm=x", "Bearer", "error=invalid_token"];
        assert_eq!(read(&line), expected, "{line}");
    }
    assert_eq!(read("Bearer a=b c=d, e=f"), ["Bearer"]);
    assert_eq!(read("Bearer a=b, c=d e=f, g=h"), ["Bearer", "a=b"]);
    assert_eq!(read("Bearer @, a=b"), ["Bearer"]);
}

#[test]
fn a_parameter_without_a_scheme_belongs_to_no_challenge() {
    assert_eq!(read("error=invalid_token, Bearer a=b"), ["Bearer", "a=b"]);
}
