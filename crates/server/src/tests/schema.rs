//! As much of JSON Schema as the OpenAPI document uses. A keyword that it does not know fails.

use serde_json::Value;

/// Why a value does not fit a schema; empty if it does. `document` resolves references.
pub(super) fn mismatches(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Some(schema) = schema.as_object() else {
        return vec![format!("{at}: the schema is no object: {schema}")];
    };
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "description" | "examples" | "format" | "default" => {}
            "$ref" => {
                let target = resolve(document, rule);
                found.extend(mismatches(document, target, value, at));
            }
            "type" => {
                let types: Vec<&str> = match rule {
                    Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                    other => other.as_str().into_iter().collect(),
                };
                if !types.iter().any(|name| is_of_type(value, name)) {
                    found.push(format!("{at}: {value} is not of type {rule}"));
                }
            }
            "const" => {
                if value != rule {
                    found.push(format!("{at}: {value} is not {rule}"));
                }
            }
            "enum" => {
                if !rule
                    .as_array()
                    .is_some_and(|allowed| allowed.contains(value))
                {
                    found.push(format!("{at}: {value} is none of {rule}"));
                }
            }
            "minimum" | "maximum" => {
                if let (Some(number), Some(bound)) = (value.as_f64(), rule.as_f64()) {
                    let fits = if keyword == "minimum" {
                        number >= bound
                    } else {
                        number <= bound
                    };
                    if !fits {
                        found.push(format!("{at}: {number} is beyond the {keyword} {bound}"));
                    }
                }
            }
            "required" => {
                for name in rule
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                {
                    if value
                        .as_object()
                        .is_some_and(|object| !object.contains_key(name))
                    {
                        found.push(format!("{at}: `{name}` is missing"));
                    }
                }
            }
            "properties" => {
                for (name, property) in rule.as_object().into_iter().flatten() {
                    if let Some(member) = value.get(name) {
                        found.extend(mismatches(
                            document,
                            property,
                            member,
                            &format!("{at}.{name}"),
                        ));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false), "{at}: only `false` is known");
                let known = schema.get("properties").and_then(Value::as_object);
                for name in value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name)
                {
                    if !known.is_some_and(|known| known.contains_key(name)) {
                        found.push(format!("{at}: `{name}` is not documented"));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(mismatches(document, rule, item, &format!("{at}[{index}]")));
                }
            }
            "oneOf" => {
                let choices = rule.as_array().expect("a list");
                let misses: Vec<Vec<String>> = choices
                    .iter()
                    .map(|choice| mismatches(document, choice, value, at))
                    .collect();
                if misses.iter().filter(|misses| misses.is_empty()).count() != 1 {
                    found.push(format!(
                        "{at}: fits not exactly one of {} choices: {misses:?}",
                        choices.len()
                    ));
                }
            }
            "pattern" => {
                assert_eq!(
                    rule, "^[A-Za-z0-9._:-]{1,128}$",
                    "{at}: only this pattern is known"
                );
                let fits = value.as_str().is_some_and(|text| {
                    (1..=128).contains(&text.len())
                        && text
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
                });
                if !fits {
                    found.push(format!("{at}: {value} does not fit {rule}"));
                }
            }
            other => found.push(format!("{at}: the keyword `{other}` is not known")),
        }
    }
    found
}

/// What a local reference points to.
pub(super) fn resolve<'a>(document: &'a Value, reference: &Value) -> &'a Value {
    let path = reference
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    path.and_then(|path| document.pointer(path))
        .unwrap_or_else(|| panic!("{reference} points to nothing"))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type `{other}` is not known"),
    }
}
