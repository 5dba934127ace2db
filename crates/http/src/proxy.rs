//! Which proxy a request goes through, by the variables that everybody uses for it.

use crate::error::HttpError;
use crate::url::Url;

/// The proxies of an environment.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    plain: Option<Url>,
    secure: Option<Url>,
    exempt: Vec<String>,
}

impl Proxies {
    /// The proxies that `http_proxy`, `https_proxy` and `no_proxy` name, in small or capital letters; small ones come first.
    ///
    /// # Errors
    /// When one is no URL.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, HttpError> {
        let text = |name: &str| {
            let small = variable(name).filter(|text| !text.is_empty());
            // Of requests that a program answers (CGI) `HTTP_PROXY` is a header that anybody can send.
            let is_cgi = name == "http_proxy" && variable("REQUEST_METHOD").is_some();
            let capital = || variable(&name.to_ascii_uppercase()).filter(|_| !is_cgi);
            small.or_else(capital).filter(|text| !text.is_empty())
        };
        let proxy = |name: &str| match text(name) {
            Some(url) if url.contains("://") => Url::parse(&url).map(Some),
            Some(url) => Url::parse(&format!("http://{url}")).map(Some),
            None => Ok(None),
        };
        let exempt = text("no_proxy").unwrap_or_default();
        Ok(Self {
            plain: proxy("http_proxy")?,
            secure: proxy("https_proxy")?,
            exempt: exempt
                .split(',')
                .map(|name| name.trim().to_ascii_lowercase())
                .filter(|name| !name.is_empty())
                .collect(),
        })
    }

    /// The proxy for a URL, if it goes through one.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<&Url> {
        let proxy = if url.is_secure {
            &self.secure
        } else {
            &self.plain
        };
        proxy.as_ref().filter(|_| !self.is_exempt(url))
    }

    fn is_exempt(&self, url: &Url) -> bool {
        let host = url.host.to_ascii_lowercase();
        let with_port = format!("{host}:{}", url.port_or_usual());
        self.exempt.iter().any(|name| {
            let name = name.trim_start_matches('.');
            let is_below = |host: &str| {
                host.strip_suffix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            name == "*" || is_below(&host) || is_below(&with_port)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_no_proxy_are_asked_directly() {
        let variable = |name: &str| match name {
            "http_proxy" => Some("p:3128".to_owned()),
            "HTTPS_PROXY" => Some("http://u:w@s:1".to_owned()),
            "no_proxy" => Some("in.example, .corp,localhost:81".to_owned()),
            _ => None,
        };
        let proxies = Proxies::of_environment(&variable).expect("proxies");
        let proxy = |url: &str| {
            let url = Url::parse(url).expect("a URL");
            proxies.of(&url).map(ToString::to_string)
        };
        assert_eq!(proxy("http://x/").as_deref(), Some("http://p:3128/"));
        assert_eq!(proxy("https://x/").as_deref(), Some("http://s:1/"));
        for direct in [
            "http://in.example/",
            "http://a.in.example/",
            "http://b.corp/",
            "http://localhost:81/",
        ] {
            assert_eq!(proxy(direct), None, "{direct}");
        }
        assert!(proxy("http://notin.example/").is_some() && proxy("http://localhost/").is_some());
    }
}
