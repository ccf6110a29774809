//! Triggers of the same moment fire in an order, which their statements have to give.

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::dialect::tokens::significant;
use crate::schema::Trigger;

use super::canonical;
use super::write::quoted;

/// The trigger after which this one fires, and where that is said: from the word `FOLLOWS` to the
/// end of the name.
fn follows(definition: &str) -> Option<(String, std::ops::Range<usize>)> {
    let tokens = significant(definition, Dialect::Mysql);
    let at = tokens.windows(3).position(|words| {
        words[0].is_word("EACH") && words[1].is_word("ROW") && words[2].is_word("FOLLOWS")
    })?;
    let (word, name) = (tokens.get(at + 2)?, tokens.get(at + 3)?);
    Some((canonical::name(name)?, word.span.start..name.span.end))
}

/// The triggers, each after the one that it follows.
pub(crate) fn in_order(triggers: Vec<&Trigger>) -> Vec<&Trigger> {
    let mut waiting = triggers;
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let next = waiting.iter().position(|trigger| {
            follows(&trigger.definition)
                .is_none_or(|(other, _)| !waiting.iter().any(|t| t.name == other))
        });
        ordered.push(waiting.remove(next.unwrap_or(0)));
    }
    ordered
}

/// The statement that makes the trigger at its place among those of its table that are there.
pub(crate) fn create(trigger: &Trigger, there: &BTreeMap<String, Trigger>) -> String {
    let definition = &trigger.definition;
    let followed = follows(definition);
    if let Some((other, _)) = &followed
        && there.contains_key(other)
    {
        return definition.clone();
    }
    let next = there.values().find(|other| {
        other.name != trigger.name
            && follows(&other.definition).is_some_and(|(first, _)| first == trigger.name)
    });
    let place = next.map_or_else(String::new, |next| {
        format!("PRECEDES {} ", quoted(&next.name))
    });
    let tokens = significant(definition, Dialect::Mysql);
    let row = tokens
        .windows(2)
        .find(|words| words[0].is_word("EACH") && words[1].is_word("ROW"))
        .map(|words| words[1].span.end);
    // What was said of the order is replaced; where nothing was, there is room after `ROW`.
    let said = followed.map(|(_, said)| said).or(row.map(|end| end..end));
    let Some(said) = said else {
        return definition.clone();
    };
    let (before, after) = (&definition[..said.start], &definition[said.end..]);
    format!("{} {place}{}", before.trim_end(), after.trim_start())
}

/// The statement of a trigger whose table was renamed. Its body stays as it was written.
pub(crate) fn moved_to(definition: &str, from: &str, to: &str) -> String {
    let tokens = significant(definition, Dialect::Mysql);
    let table = tokens
        .windows(2)
        .find(|words| words[0].is_word("ON"))
        .map(|words| &words[1])
        .filter(|token| canonical::name(token).as_deref() == Some(from));
    match table {
        Some(token) => format!(
            "{}{}{}",
            &definition[..token.span.start],
            quoted(to),
            &definition[token.span.end..]
        ),
        None => definition.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(name: &str, follows: &str) -> Trigger {
        Trigger {
            name: name.to_owned(),
            definition: format!(
                "CREATE TRIGGER `{name}` BEFORE INSERT ON `t` FOR EACH ROW {follows}SET new.x = 1"
            ),
            firing: None,
            comment: None,
        }
    }

    #[test]
    fn triggers_are_made_in_the_order_in_which_they_fire() {
        let (first, second, third) = (
            trigger("c", ""),
            trigger("a", "FOLLOWS `c` "),
            trigger("b", "FOLLOWS `a` "),
        );
        let names: Vec<&str> = in_order(vec![&second, &third, &first])
            .into_iter()
            .map(|trigger| trigger.name.as_str())
            .collect();
        assert_eq!(names, ["c", "a", "b"]);
    }

    #[test]
    fn a_trigger_finds_its_place_among_those_that_are_there() {
        let there = |triggers: &[Trigger]| -> BTreeMap<String, Trigger> {
            let pairs = triggers.iter().map(|t| (t.name.clone(), t.clone()));
            pairs.collect()
        };
        let (first, second) = (trigger("a", ""), trigger("b", "FOLLOWS `a` "));
        assert!(
            create(&second, &there(std::slice::from_ref(&first))).contains("ROW FOLLOWS `a` SET")
        );
        assert!(
            create(&first, &there(std::slice::from_ref(&second))).contains("ROW PRECEDES `b` SET")
        );
        assert!(create(&second, &there(&[])).contains("ROW SET"));
        assert_eq!(create(&first, &there(&[])), first.definition);
    }
}
