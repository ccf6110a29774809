//! What assistive technology makes of a page: landmarks, headings, lists, links and texts, without
//! what is hidden from it. Reads only such HTML as the page is made of, and refuses any other.

use std::collections::HashSet;
use std::fmt::Write as _;

const VOID: [&str; 3] = ["meta", "link", "wbr"];

/// Elements whose content is not text for people.
const RAW: [&str; 3] = ["style", "script", "title"];

enum Token<'a> {
    Open {
        name: &'a str,
        attributes: Vec<(&'a str, String)>,
        closed: bool,
    },
    Close(&'a str),
    Text(String),
}

impl Token<'_> {
    fn attribute(&self, wanted: &str) -> Option<&str> {
        let Token::Open { attributes, .. } = self else {
            return None;
        };
        attributes
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.as_str())
    }
}

fn decode(text: &str) -> Result<String, String> {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        let end = rest[at..]
            .find(';')
            .ok_or_else(|| format!("a bare & in {text:?}"))?;
        decoded.push(match &rest[at..=at + end] {
            "&amp;" => '&',
            "&lt;" => '<',
            "&gt;" => '>',
            "&quot;" => '"',
            "&#39;" => '\'',
            other => return Err(format!("an unknown reference {other}")),
        });
        rest = &rest[at + end + 1..];
    }
    decoded.push_str(rest);
    if decoded.len() == text.len() && text.contains('>') {
        return Err(format!("a bare > in {text:?}"));
    }
    Ok(decoded)
}

fn tokens(html: &str) -> Result<Vec<Token<'_>>, String> {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            tokens.push(Token::Text(decode(&rest[..end])?));
            rest = &rest[end..];
            continue;
        };
        if let Some(tag) = tag.strip_prefix('/') {
            let end = tag.find('>').ok_or("an unfinished tag")?;
            tokens.push(Token::Close(&tag[..end]));
            rest = &tag[end + 1..];
            continue;
        }
        let (token, after) = open_tag(tag)?;
        rest = after;
        if let Token::Open { name, .. } = &token
            && RAW.contains(name)
        {
            let close = format!("</{name}>");
            let end = rest
                .find(&close)
                .ok_or_else(|| format!("an open <{name}>"))?;
            let name = *name;
            tokens.push(token);
            tokens.push(Token::Text(rest[..end].to_owned()));
            tokens.push(Token::Close(name));
            rest = &rest[end + close.len()..];
        } else {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

fn open_tag(tag: &str) -> Result<(Token<'_>, &str), String> {
    let name_end = tag
        .find(|c: char| !c.is_ascii_alphanumeric())
        .ok_or("an unfinished tag")?;
    let (name, mut rest) = tag.split_at(name_end);
    if name.is_empty() {
        return Err(format!("a bare < before {:?}", &tag[..tag.len().min(20)]));
    }
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return Ok((
                Token::Open {
                    name,
                    attributes,
                    closed: true,
                },
                after,
            ));
        }
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((
                Token::Open {
                    name,
                    attributes,
                    closed: VOID.contains(&name),
                },
                after,
            ));
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .ok_or("an unfinished attribute")?;
        if end == 0 {
            return Err(format!(
                "not an attribute: {:?}",
                &rest[..rest.len().min(20)]
            ));
        }
        let attribute = &rest[..end];
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').ok_or("an unfinished value")?;
            // A `>` may stand in a value.
            value = decode(&quoted[..end].replace('>', "&gt;"))?;
            rest = &quoted[end + 1..];
        }
        if attributes.iter().any(|(known, _)| *known == attribute) {
            return Err(format!("`{attribute}` stands twice in <{name}>"));
        }
        attributes.push((attribute, value));
    }
}

/// Why a page is not sound: tags that don't match, ids that are used twice or point to nothing,
/// headings that skip a level, pictures without a word.
pub(super) fn check(html: &str) -> Result<(), String> {
    let tokens = tokens(html)?;
    let mut open: Vec<&str> = Vec::new();
    let mut ids = HashSet::new();
    let mut referred = Vec::new();
    let mut last_level = 0;
    let mut counts = [
        ("main", 0),
        ("h1", 0),
        ("header", 0),
        ("footer", 0),
        ("title", 0),
    ];
    for token in &tokens {
        match token {
            Token::Open { name, closed, .. } => {
                if !closed {
                    open.push(name);
                }
                for (counted, count) in &mut counts {
                    *count += usize::from(counted == name);
                }
                if let Some(id) = token.attribute("id")
                    && !ids.insert(id.to_owned())
                {
                    return Err(format!("the id `{id}` is used twice"));
                }
                referred.extend(token.attribute("aria-labelledby").map(str::to_owned));
                referred.extend(
                    token
                        .attribute("href")
                        .and_then(|href| href.strip_prefix('#'))
                        .map(str::to_owned),
                );
                if let Some(level) = heading_level(name) {
                    if level > last_level + 1 {
                        return Err(format!(
                            "a heading of level {level} after one of {last_level}"
                        ));
                    }
                    last_level = level;
                }
                let hidden =
                    token.attribute("aria-hidden") == Some("true") || open.contains(&"span");
                if *name == "svg" && !hidden {
                    return Err("a picture that is neither hidden nor named".to_owned());
                }
            }
            Token::Close(name) => {
                if open.pop() != Some(name) {
                    return Err(format!("</{name}> closes nothing"));
                }
            }
            Token::Text(_) => {}
        }
    }
    if let Some(name) = open.pop() {
        return Err(format!("<{name}> is not closed"));
    }
    if let Some((name, count)) = counts.iter().find(|(_, count)| *count != 1) {
        return Err(format!("{count} of <{name}>"));
    }
    match referred.into_iter().find(|id| !ids.contains(id)) {
        Some(id) => Err(format!("nothing has the id `{id}`")),
        None => Ok(()),
    }
}

fn heading_level(name: &str) -> Option<u32> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

/// The page as it is read out, one line for each thing, indented by what it stands in.
pub(super) fn outline(html: &str) -> String {
    let tokens = tokens(html).expect("sound HTML");
    let mut lines = String::new();
    let mut text = String::new();
    let mut depth = 0;
    // For each open element: its name, and whether it indents, and whether it hides.
    let mut open: Vec<(&str, bool, bool)> = Vec::new();
    let flush = |lines: &mut String, text: &mut String, depth: usize| {
        let words: Vec<&str> = text.split_whitespace().collect();
        if !words.is_empty() {
            let _ = writeln!(lines, "{}{}", "  ".repeat(depth), words.join(" "));
        }
        text.clear();
    };
    for token in &tokens {
        let hidden = open.iter().any(|(_, _, hides)| *hides);
        match token {
            Token::Open { name, closed, .. } => {
                let hides = token.attribute("aria-hidden") == Some("true")
                    || matches!(*name, "style" | "script" | "noscript");
                let role = if hidden || hides {
                    None
                } else {
                    role(name, token)
                };
                if let Some(role) = &role {
                    flush(&mut lines, &mut text, depth);
                    let _ = writeln!(lines, "{}{role}", "  ".repeat(depth));
                    depth += usize::from(!closed);
                }
                if !closed {
                    open.push((name, role.is_some(), hides));
                }
            }
            Token::Close(_) => {
                let (name, indents, hides) = open.pop().expect("sound HTML");
                let is_block = indents || matches!(name, "p" | "div" | "dt" | "dd");
                if is_block && !hidden && !hides {
                    flush(&mut lines, &mut text, depth);
                }
                if indents {
                    depth -= 1;
                }
            }
            Token::Text(words) => {
                if !hidden {
                    text.push_str(words);
                }
            }
        }
    }
    lines
}

fn role(name: &str, token: &Token<'_>) -> Option<String> {
    let label = token
        .attribute("aria-label")
        .map(|label| format!(" {label:?}"))
        .unwrap_or_default();
    let role = match name {
        "title" => "document title".to_owned(),
        "header" => "banner".to_owned(),
        "main" => "main".to_owned(),
        "footer" => "content info".to_owned(),
        "nav" => "navigation".to_owned(),
        "section" if token.attribute("aria-labelledby").is_some() => "region".to_owned(),
        "h1" | "h2" | "h3" => format!("heading {}", &name[1..]),
        "ul" | "ol" => "list".to_owned(),
        "li" => "item".to_owned(),
        "dl" => "descriptions".to_owned(),
        "dt" => "term".to_owned(),
        "dd" => "description".to_owned(),
        "a" => {
            let current = if token.attribute("aria-current").is_some() {
                ", current"
            } else {
                ""
            };
            format!(
                "link to {}{current}",
                token.attribute("href").unwrap_or("nothing")
            )
        }
        "progress" => format!(
            "progress bar {} of {}",
            token.attribute("value").unwrap_or("?"),
            token.attribute("max").unwrap_or("?")
        ),
        "details" => {
            let open = if token.attribute("open").is_some() {
                "open"
            } else {
                "closed"
            };
            format!("details, {open}")
        }
        "summary" => "summary".to_owned(),
        "pre" => {
            let focus = if token.attribute("tabindex") == Some("0") {
                ", can be reached and scrolled"
            } else {
                ""
            };
            format!("preformatted{focus}")
        }
        "p" if token.attribute("role") == Some("status") => "status, announced".to_owned(),
        _ => return None,
    };
    Some(format!("{role}{label}"))
}
