use std::fmt;

/// The URL of a database server or of one of its databases:
/// `scheme://user:password@host:port/database?query`.
///
/// `Display` and `Debug` leave the password and the query out; [`ServerUrl::reveal`] gives all.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    scheme: String,
    /// As it stands in the URL, percent-encoded.
    user: String,
    /// As it stands in the URL, percent-encoded.
    password: Option<String>,
    host: String,
    port: Option<u16>,
    database: String,
    query: Option<String>,
}

/// The text is not the URL of a database server. What it is, is left out: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidUrl;

impl fmt::Display for InvalidUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not of the form scheme://user:password@host:port/database")
    }
}

impl std::error::Error for InvalidUrl {}

impl ServerUrl {
    /// The URL of a server on 127.0.0.1.
    #[cfg(unix)]
    pub(crate) fn local(scheme: &str, user: &str, password: Option<&str>, port: u16) -> Self {
        Self {
            scheme: scheme.to_owned(),
            user: encode(user),
            password: password.map(encode),
            host: "127.0.0.1".to_owned(),
            port: Some(port),
            database: String::new(),
            query: None,
        }
    }

    /// Reads `scheme://[user[:password]@]host[:port][/database][?query]`.
    ///
    /// # Errors
    /// [`InvalidUrl`] where there is no scheme, no host or no such port.
    pub fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(InvalidUrl)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password.to_owned())),
            None => (credentials, None),
        };
        // The colons inside [::1] do not separate a port.
        let colon = address
            .rfind(':')
            .filter(|&colon| !address[colon..].contains(']'));
        let (host, port) = match colon {
            Some(colon) => {
                let port = address[colon + 1..].parse().map_err(|_| InvalidUrl)?;
                (&address[..colon], Some(port))
            }
            None => (address, None),
        };
        if scheme.is_empty() || host.is_empty() {
            return Err(InvalidUrl);
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            user: user.to_owned(),
            password,
            host: host.to_owned(),
            port,
            database: database.to_owned(),
            query,
        })
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self {
            database: encode(database),
            ..self.clone()
        }
    }

    /// The same server and database, another user; `None` for one without a password.
    #[must_use]
    pub fn with_user(&self, user: &str, password: Option<&str>) -> Self {
        Self {
            user: encode(user),
            password: password.map(encode),
            ..self.clone()
        }
    }

    /// The same user and database behind another port of the same host, for instance a proxy's.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        Self {
            port: Some(port),
            ..self.clone()
        }
    }

    /// The host's name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if the URL names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The user, decoded; empty if the URL names none.
    pub fn user(&self) -> String {
        decode(&self.user)
    }

    /// The password, decoded.
    pub fn password(&self) -> Option<String> {
        self.password.as_deref().map(decode)
    }

    /// The database's name, decoded; empty if the URL names none.
    pub fn database(&self) -> String {
        decode(&self.database)
    }

    /// The whole URL, with the password.
    pub fn reveal(&self) -> String {
        let mut url = self.text(self.password.as_deref());
        if let Some(query) = &self.query {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    fn text(&self, password: Option<&str>) -> String {
        let credentials = match password {
            Some(password) => format!("{}:{password}@", self.user),
            None if self.user.is_empty() => String::new(),
            None => format!("{}@", self.user),
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let Self {
            scheme,
            host,
            database,
            ..
        } = self;
        format!("{scheme}://{credentials}{host}{port}/{database}")
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text(None))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text(None))
    }
}

/// Percent-encodes all but the characters that RFC 3986 calls unreserved.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Undoes percent-encoding; what is no valid escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let escaped = (byte == b'%')
            .then(|| text.get(position + 1..position + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        position += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> ServerUrl {
        ServerUrl::parse(url).expect("the test gives a URL")
    }

    #[test]
    fn every_part_of_a_url_survives_reading_and_writing() {
        for url in [
            "postgres://postgres@127.0.0.1:5432/postgres",
            "mysql://root:s%40cret@db.example:3306/test?ssl-mode=DISABLED",
            "postgres://localhost/",
            "postgres://user@[::1]:5432/app",
            "postgres://user@[::1]/app",
        ] {
            assert_eq!(parse(url).reveal(), url);
        }
    }

    #[test]
    fn another_database_keeps_user_password_and_query() {
        let url = parse("postgres://me:pw@127.0.0.1:5432/postgres?sslmode=disable");
        assert_eq!(
            url.with_database("stairway_test_1").reveal(),
            "postgres://me:pw@127.0.0.1:5432/stairway_test_1?sslmode=disable"
        );
    }

    #[test]
    fn printing_a_url_never_shows_its_password() {
        let url = parse("postgres://me:hidden@127.0.0.1:5432/app?password=hidden");
        assert_eq!(url.to_string(), "postgres://me@127.0.0.1:5432/app");
        assert_eq!(format!("{url:?}"), "postgres://me@127.0.0.1:5432/app");
    }

    #[test]
    fn special_characters_in_names_and_passwords_are_encoded() {
        let url = parse("postgres://127.0.0.1/").with_user("a b", Some("p@ss:w/rd%"));
        assert_eq!(
            url.reveal(),
            "postgres://a%20b:p%40ss%3Aw%2Frd%25@127.0.0.1/"
        );
        assert_eq!(
            parse(&url.reveal()).password().as_deref(),
            Some("p@ss:w/rd%")
        );
        assert_eq!(parse(&url.reveal()).user(), "a b");
    }

    #[test]
    fn text_that_is_no_url_is_refused() {
        for text in [
            "",
            "127.0.0.1:5432",
            "postgres://",
            "postgres://host:port/db",
            "://host/",
        ] {
            assert_eq!(ServerUrl::parse(text), Err(InvalidUrl), "{text}");
        }
    }
}
