//! Telling a changed source file from an unchanged one.

/// A fingerprint of a source text as `algorithm:hex`, the same on every platform and in every
/// version of this crate that names the same algorithm.
///
/// It tells that a file was changed by someone who meant no harm. It is no protection against
/// someone who does: the algorithm (FNV-1a, 128 bits) is not a cryptographic one.
///
/// What version control or an editor changes by itself does not count: a byte order mark, CRLF in
/// place of LF, blanks at the end of a line, empty lines at the end of the file.
pub(crate) fn fingerprint(text: &str) -> String {
    format!("fnv1a128:{:032x}", fnv1a_128(normalised(text).as_bytes()))
}

/// The text without what [`fingerprint`] leaves out of account.
fn normalised(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.join("\n")
}

/// FNV-1a with 128 bits; offset basis and prime as in the FNV specification (RFC 9923).
fn fnv1a_128(bytes: &[u8]) -> u128 {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a_128(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a_128(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(fnv1a_128(b"ab"), 0x0880_9544_bbab_1be9_5aa0_7330_55b6_9a62);
        assert_eq!(fnv1a_128(b"abc"), 0xa68d_622c_ec8b_5822_836d_bc79_77af_7f3b);
    }

    #[test]
    fn what_an_editor_changes_by_itself_does_not_count() {
        let plain = fingerprint("fn up() {\n    work();\n}");
        for same in [
            "\u{feff}fn up() {\n    work();\n}",
            "fn up() {\r\n    work();\r\n}\r\n",
            "fn up() {  \n    work();\t\n}\n\n\n",
        ] {
            assert_eq!(fingerprint(same), plain, "{same:?}");
        }
    }

    #[test]
    fn what_a_person_changes_counts() {
        let plain = fingerprint("fn up() {\n    work();\n}");
        for other in [
            "fn up() {\n    work(1);\n}",
            "fn up() {\n  work();\n}",
            "\nfn up() {\n    work();\n}",
            "fn up() {\n\n    work();\n}",
            "",
        ] {
            assert_ne!(fingerprint(other), plain, "{other:?}");
        }
    }

    #[test]
    fn the_algorithm_is_named_and_the_number_has_a_fixed_width() {
        assert_eq!(fingerprint(""), "fnv1a128:6c62272e07bb014262b821756295c58d");
        let (algorithm, number) = fingerprint("x").split_once(':').map_or_else(
            || panic!("no separator"),
            |(algorithm, number)| (algorithm.to_owned(), number.to_owned()),
        );
        assert_eq!((algorithm.as_str(), number.len()), ("fnv1a128", 32));
    }
}
