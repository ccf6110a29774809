//! Where a database is, without what nobody should read.

/// The URL without its password and without parameters that may hold one.
pub fn without_credentials(url: &str) -> String {
    let (head, _) = url.split_once('?').unwrap_or((url, ""));
    let Some((scheme, rest)) = head.split_once("://") else {
        return head.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    // A password may hold an `@` that was not encoded.
    match authority.rsplit_once('@') {
        Some((credentials, host)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            if user.is_empty() {
                format!("{scheme}://{host}{path}")
            } else {
                format!("{scheme}://{user}@{host}{path}")
            }
        }
        None => format!("{scheme}://{authority}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn passwords_never_stay() {
        for (url, shown) in [
            ("postgres://u:secret@h:5432/db", "postgres://u@h:5432/db"),
            ("postgres://u:se@cret@h/db", "postgres://u@h/db"),
            ("postgres://h/db?password=secret", "postgres://h/db"),
            ("mysql://:secret@h/db", "mysql://h/db"),
            (
                "sqlite:///var/lib/app.db?mode=ro",
                "sqlite:///var/lib/app.db",
            ),
            ("sqlite::memory:", "sqlite::memory:"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
