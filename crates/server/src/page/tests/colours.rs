//! The palette can be read: contrast by WCAG 2.2, in light and in dark.

use std::collections::BTreeMap;

use super::super::STYLE;

/// The variables of a `:root` block.
fn palette(block: &str) -> BTreeMap<&str, [f64; 3]> {
    let body = block.split_once('{').expect("a block").1;
    let body = body.split_once('}').expect("a block").0;
    let declarations = body
        .split(';')
        .filter_map(|declaration| declaration.split_once(':'));
    declarations
        .map(|(name, value)| (name.trim().trim_start_matches("--"), colour(value.trim())))
        .collect()
}

fn colour(hex: &str) -> [f64; 3] {
    let hex = hex
        .strip_prefix('#')
        .filter(|hex| hex.len() == 6)
        .unwrap_or_else(|| panic!("{hex} is no colour"));
    [0, 2, 4]
        .map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")) / 255.0)
}

fn luminance(colour: [f64; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Text on what it stands on (at least 4.5), and signs, borders and lines (at least 3).
const TEXT: [(&str, &str); 23] = [
    ("text", "page"),
    ("text", "card"),
    ("text", "code"),
    ("text", "good-soft"),
    ("text", "busy-soft"),
    ("text", "waiting-soft"),
    ("text", "bad-soft"),
    ("muted", "page"),
    ("muted", "card"),
    ("accent", "page"),
    ("accent", "card"),
    ("good", "good-soft"),
    ("busy", "busy-soft"),
    ("waiting", "waiting-soft"),
    ("bad", "bad-soft"),
    ("good", "card"),
    ("busy", "card"),
    ("waiting", "card"),
    ("bad", "card"),
    ("card", "good"),
    ("card", "busy"),
    ("card", "waiting"),
    ("card", "bad"),
];
const SIGNS: [(&str, &str); 7] = [
    ("rail", "card"),
    ("rail", "page"),
    ("accent", "good-soft"),
    ("accent", "busy-soft"),
    ("accent", "waiting-soft"),
    ("accent", "bad-soft"),
    ("good", "page"),
];

#[test]
fn every_text_and_sign_stands_out_in_light_and_in_dark() {
    let mut roots = STYLE
        .match_indices(":root")
        .map(|(at, _)| palette(&STYLE[at..]));
    let (light, dark) = (roots.next().expect("light"), roots.next().expect("dark"));
    assert_eq!(
        light.keys().collect::<Vec<_>>(),
        dark.keys().collect::<Vec<_>>(),
        "both name the same"
    );
    let mut faults = Vec::new();
    for (name, palette) in [("light", &light), ("dark", &dark)] {
        for (pairs, least) in [(&TEXT[..], 4.5), (&SIGNS[..], 3.0)] {
            for (front, back) in pairs {
                let ratio = contrast(palette[front], palette[back]);
                if ratio < least {
                    faults.push(format!(
                        "{name}: {front} on {back} is {ratio:.2}, less than {least}"
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn contrast_is_computed_as_wcag_does() {
    assert!((contrast(colour("#000000"), colour("#ffffff")) - 21.0).abs() < 1e-9);
    assert!((contrast(colour("#767676"), colour("#ffffff")) - 4.54).abs() < 0.01);
}
