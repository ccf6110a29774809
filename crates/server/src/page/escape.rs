//! Text from elsewhere, made safe to stand in HTML.

use std::fmt::{self, Write as _};

/// Text that is escaped where it is written: for elements and for attributes in double quotes.
/// What steers a terminal or reorders text is written out, so that a revision's message can't pose
/// as something else.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(c)?,
                c if steers(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A revision's id, escaped, that may be broken after each `_`.
pub(super) struct Id<'a>(pub(super) &'a str);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive('_') {
            Escaped(part).fmt(f)?;
            if part.ends_with('_') {
                f.write_str("<wbr>")?;
            }
        }
        Ok(())
    }
}

/// Control characters, line separators and the marks that change the direction of writing.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    //! Nothing from a database or a revision becomes markup.

    use super::*;

    #[test]
    fn an_id_can_be_broken_between_its_words() {
        assert_eq!(Id("m1_add_<b>").to_string(), "m1_<wbr>add_<wbr>&lt;b&gt;");
    }

    #[test]
    fn markup_quotes_and_steering_characters_are_written_out() {
        let hostile = "</pre><script>alert('1')</script>\" onload=\"x\u{202e}txt\u{0}\n&amp;";
        assert_eq!(
            Escaped(hostile).to_string(),
            "&lt;/pre&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x\
             \\u{202e}txt\\u{0}\n&amp;amp;"
        );
    }
}
