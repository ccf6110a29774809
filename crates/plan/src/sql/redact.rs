//! Interim.
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let before = match before.rsplit_once('@') {
        Some((user, host)) => format!("{}:***@{host}", user.split(':').next().unwrap_or_default()),
        None => before.to_owned(),
    };
    let query: Vec<String> = query
        .split('&')
        .map(|p| match p.split_once('=') {
            Some((k, _)) if k.contains("password") => format!("{k}=***"),
            _ => p.to_owned(),
        })
        .collect();
    let query = query.join("&");
    if query.is_empty() {
        format!("{scheme}://{before}")
    } else {
        format!("{scheme}://{before}?{query}")
    }
}
pub fn redact_secrets(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for s in secrets {
        if !s.is_empty() {
            text = text.replace(s, "***");
        }
    }
    text
}
pub fn redact_statement(text: &str) -> String {
    text.to_owned()
}
