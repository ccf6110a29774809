//! The page in a real browser, in every state: nothing is cut off on a phone, everything can be read
//! in light and in dark, everything can be reached with the keyboard, and a screen reader gets all of
//! it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use stairway_tests::Browser;

use super::scenes;

const DESKTOP: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (390, 844);

/// Where the pictures go, if somebody wants to look at them.
const PICTURES: &str = "STAIRWAY_SCREENSHOTS";

/// Every text with too little contrast to what is behind it, as the browser has drawn it (WCAG 2.2:
/// 4.5, large text 3).
const FAINT_TEXT: &str = r#"(() => {
  const parse = text => {
    const [r, g, b, a] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a === undefined ? 1 : a];
  };
  const over = (top, below) => {
    const mix = n => top[n] * top[3] + below[n] * (1 - top[3]);
    return [mix(0), mix(1), mix(2), 1];
  };
  const luminance = colour => {
    const [r, g, b] = colour.slice(0, 3).map(part => {
      part /= 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(parse(getComputedStyle(at).backgroundColor));
    }
    return layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    seen += 1;
    const style = getComputedStyle(element);
    const svg = element.closest("svg");
    const ground = behind(svg ? svg.parentElement : element);
    const ink = over(parse(svg ? style.fill : style.color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)}: ${text.slice(0, 60)}`);
  }
  return seen > 5 ? faint : ["only " + seen + " texts were found"];
})()"#;

/// What is wider than the window and can't be scrolled to inside of its own box.
const CUT_OFF: &str = r"(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > width + 1)
    .map(element => element.tagName + ' ' + element.className).slice(0, 5);
})()";

/// What the keyboard is on: its text, and whether it shows.
const FOCUSED: &str = r"(() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    what: element.tagName + ' ' + element.textContent.trim().slice(0, 40),
    shows: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
  };
})()";

fn list(value: &Value) -> Vec<&str> {
    let items = value.as_array().expect("a list").iter();
    items.filter_map(Value::as_str).collect()
}

/// Writes the page to a file that the browser opens.
fn saved(directory: &Path, name: &str, html: &str) -> String {
    let file = directory.join(format!("{name}.html"));
    fs::write(&file, html).expect("the page can be written");
    format!("file://{}", file.display())
}

#[test]
fn every_state_can_be_read_in_light_and_dark_at_a_desk_and_on_a_phone() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let directory = tempfile::TempDir::new().expect("a directory");
    let pictures = std::env::var_os(PICTURES);
    // Files have no server to ask; and this is how most of the page has to work anyway.
    browser.allow_scripts(false);
    for (name, scene) in scenes() {
        let url = saved(directory.path(), &name, &scene.render());
        for (width, height) in [DESKTOP, PHONE] {
            for scheme in ["light", "dark"] {
                browser.look(width, height, scheme);
                browser.open(&url);
                let place = format!("{name}, {width} wide, {scheme}");
                let faint = browser.evaluate(FAINT_TEXT);
                assert_eq!(list(&faint), [""; 0], "{place}: too faint");
                let cut_off = browser.evaluate(CUT_OFF);
                assert_eq!(list(&cut_off), [""; 0], "{place}: cut off");
                if let Some(pictures) = &pictures {
                    let file = format!("{name}-{width}-{scheme}.png");
                    browser.screenshot(&Path::new(pictures).join(file));
                }
            }
        }
        let (requests, complaints) = browser.requests_and_complaints();
        let elsewhere: Vec<_> = requests.iter().filter(|request| **request != url).collect();
        assert!(elsewhere.is_empty(), "{name} asks for {elsewhere:?}");
        assert!(complaints.is_empty(), "{name}: {complaints:#?}");
    }
}

#[test]
fn the_tree_that_a_screen_reader_gets_from_the_browser() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let directory = tempfile::TempDir::new().expect("a directory");
    browser.allow_scripts(false);
    browser.look(DESKTOP.0, DESKTOP.1, "light");
    for (name, scene) in scenes() {
        if ["behind", "migrating", "failed", "several"].contains(&name.as_str()) {
            browser.open(&saved(directory.path(), &name, &scene.render()));
            insta::assert_snapshot!(format!("tree_{name}"), browser.accessibility_tree());
        }
    }
}

#[test]
fn everything_that_can_be_used_is_reached_with_the_keyboard_in_order_and_shows_it() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let directory = tempfile::TempDir::new().expect("a directory");
    browser.allow_scripts(false);
    browser.look(DESKTOP.0, DESKTOP.1, "light");
    for (name, scene) in scenes() {
        if !["behind", "several", "failed"].contains(&name.as_str()) {
            continue;
        }
        browser.open(&saved(directory.path(), &name, &scene.render()));
        let usable = "[...document.querySelectorAll('a[href], summary, button, input, [tabindex=\"0\"]')]\
                      .filter(element => element.checkVisibility()).length";
        let count = browser.evaluate(usable).as_u64().expect("a number");
        assert!(count >= 3, "{name}: {count}");
        for nth in 0..count {
            browser.press("Tab");
            let focused = browser.evaluate(FOCUSED);
            assert!(
                focused.is_object(),
                "{name}: nothing after {nth} of {count}"
            );
            assert_eq!(focused["shows"], true, "{name}: {focused}");
            assert_eq!(focused["inside"], true, "{name}: {focused}");
            if nth == 0 {
                assert!(
                    focused["what"]
                        .as_str()
                        .is_some_and(|what| what.contains("Skip")),
                    "{focused}"
                );
            }
        }
    }
}

#[test]
fn the_sql_of_a_pending_revision_is_opened_with_the_keyboard_and_without_scripts() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let directory = tempfile::TempDir::new().expect("a directory");
    browser.allow_scripts(false);
    let (name, scene) = scenes().swap_remove(2);
    assert_eq!(name, "behind");
    browser.open(&saved(directory.path(), &name, &scene.render()));
    let is_seen = "[...document.querySelectorAll('details pre')].filter(pre => pre.checkVisibility() \
                   && pre.textContent.includes('CREATE TABLE')).length";
    let before = browser.evaluate(is_seen).as_u64().expect("a number");
    for _ in 0..20 {
        browser.press("Tab");
        let on_closed = "document.activeElement.tagName === 'SUMMARY' \
                         && !document.activeElement.parentElement.open \
                         && document.activeElement.parentElement.textContent.includes('CREATE TABLE')";
        if browser.evaluate(on_closed) == true {
            browser.press("Enter");
            break;
        }
    }
    let after = browser.evaluate(is_seen).as_u64().expect("a number");
    assert_eq!(after, before + 1);
}
