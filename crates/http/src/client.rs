//! Sends requests: follows redirects, and tells who we are where that is asked for.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use crate::connect::{Peer, Way, basic};
use crate::error::HttpError;
use crate::exchange::{Answer, Sending, is_token};
use crate::message::{Body, Headers, Request, Response};
use crate::proxy::Proxies;
use crate::tls::TlsSettings;
use crate::url::Url;

/// How often one URL, and how many of them, redirects may lead to.
const SAME_URL: usize = 4;
const URLS: usize = 10;

/// Finds addresses of hosts.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of a host; none where nobody knows it.
    async fn resolve(&self, host: &str) -> Vec<IpAddr>;
}

/// Which redirects are followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Follow {
    /// As Python's library does: those of `GET` and `HEAD`, and of `POST` to a `GET`.
    #[default]
    Usual,
    /// Those of `GET` and `HEAD`.
    Safe,
    /// All.
    All,
    /// None.
    Never,
}

impl Follow {
    /// The kind that Ansible's options `follow_redirects` mean by a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "urllib2" => Some(Self::Usual),
            "safe" => Some(Self::Safe),
            "all" | "yes" | "true" => Some(Self::All),
            "no" | "none" | "false" => Some(Self::Never),
            _ => None,
        }
    }
}

/// How requests are sent.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// How long each step may take: to connect, to send, to receive a piece.
    pub timeout: Duration,
    /// Whom to trust.
    pub tls: TlsSettings,
    /// Which redirects are followed.
    pub follow: Follow,
    /// The proxies; none where none are to be used.
    pub proxies: Proxies,
    /// A socket of this machine, in place of the host of the URL.
    pub unix_socket: Option<PathBuf>,
    /// User and password, for servers that ask.
    pub login: Option<(String, String)>,
    /// Whether they are sent before anybody asks.
    pub login_at_once: bool,
    /// Headers that are not sent to where a redirect leads.
    pub unredirected: Vec<String>,
    /// Whether a body that is packed by gzip is unpacked.
    pub decompress: bool,
}

/// What is known so far of a request on its way.
struct Journey {
    request: Request,
    cookies: Vec<(Url, String, String)>,
    visits: HashMap<String, usize>,
    /// The user and password that the server was told, if any.
    is_logged_in: bool,
    redirects: usize,
}

impl Client {
    /// Sends a request to its end: after all redirects and questions. An outcome like 404 is a response too.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn send(&self, request: Request, hosts: &dyn Resolve) -> Result<Response, HttpError> {
        if !is_token(&request.method) {
            return Err(HttpError::Url(format!("`{}` is no method", request.method)));
        }
        let mut journey = Journey {
            request,
            cookies: Vec::new(),
            visits: HashMap::new(),
            is_logged_in: false,
            redirects: 0,
        };
        let login = journey
            .request
            .url
            .login
            .take()
            .or_else(|| self.login.clone());
        if let Some(login) = login.as_ref().filter(|_| self.login_at_once) {
            journey.log_in(login);
        }
        loop {
            let answer = self.ask(&journey, hosts).await?;
            journey.keep_cookies(&answer.head.headers);
            let status = answer.head.status;
            if status == 401
                && !journey.is_logged_in
                && asks_for_password(&answer.head.headers)
                && let Some(login) = &login
            {
                journey.log_in(login);
                continue;
            }
            let location = answer.head.headers.get("location").map(str::to_owned);
            let goes_on = location.filter(|_| self.follows(status, &journey.request.method));
            let Some(location) = goes_on else {
                return Ok(self.arrive(journey, answer, false));
            };
            let url = journey.request.url.join(&location)?;
            if journey.is_lost(&url) {
                return Ok(self.arrive(journey, answer, true));
            }
            journey.follow(url, status, self);
        }
    }

    /// Whether a redirect of this kind is followed.
    fn follows(&self, status: u16, method: &str) -> bool {
        let is_safe = matches!(method, "GET" | "HEAD");
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return false;
        }
        match self.follow {
            Follow::Never => false,
            Follow::All => true,
            Follow::Safe => is_safe,
            Follow::Usual => is_safe || (method == "POST" && status < 304),
        }
    }

    /// One request and its answer.
    async fn ask(&self, journey: &Journey, hosts: &dyn Resolve) -> Result<Answer, HttpError> {
        let request = &journey.request;
        let url = request.url.clone();
        let proxy = self.proxies.of(&url).filter(|_| self.unix_socket.is_none());
        let way = Way {
            to: self.peer(proxy.unwrap_or(&url), hosts).await?,
            tunnel: proxy.filter(|_| url.is_secure).cloned(),
            tls: url.is_secure.then(|| self.tls.config()).transpose()?,
            timeout: self.timeout,
        };
        let mut headers = Headers::default();
        headers.set("Accept-Encoding", "identity");
        headers.set("Host", url.authority());
        let plain_proxy = proxy.filter(|_| !url.is_secure);
        if let Some(login) = plain_proxy.and_then(|proxy| proxy.login.as_ref()) {
            headers.set("Proxy-Authorization", basic(login));
        }
        let cookies = journey.cookies_for(&url);
        if !cookies.is_empty() {
            headers.set("Cookie", cookies);
        }
        for (name, value) in &request.headers.0 {
            headers.set(name, value.clone());
        }
        // The length is that of the body which is sent, whatever else is said of it.
        headers.remove("Content-Length");
        let target = match plain_proxy {
            Some(_) => url.to_string(),
            None => url.target.clone(),
        };
        let (method, body) = (request.method.clone(), request.body.clone());
        let exchange = tokio::task::spawn_blocking(move || {
            let stream = way.connect(&url)?;
            let sending = Sending {
                method: &method,
                target: &target,
                headers: &headers,
                body: &body,
            };
            sending.exchange(stream)
        });
        match exchange.await {
            Ok(answer) => answer,
            Err(_) => Err(HttpError::Broken(io::ErrorKind::Interrupted.into())),
        }
    }

    async fn peer(&self, url: &Url, hosts: &dyn Resolve) -> Result<Peer, HttpError> {
        if let Some(path) = &self.unix_socket {
            return Ok(Peer::Unix(path.clone()));
        }
        let addresses = hosts.resolve(&url.host).await;
        if addresses.is_empty() {
            return Err(HttpError::UnknownHost);
        }
        Ok(Peer::Addresses(addresses, url.port_or_usual()))
    }

    fn arrive(&self, journey: Journey, answer: Answer, is_loop: bool) -> Response {
        let is_packed = answer
            .head
            .headers
            .get("content-encoding")
            .is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("gzip"));
        let body: Box<dyn io::Read + Send> = if is_packed && self.decompress {
            Box::new(flate2::read::MultiGzDecoder::new(answer.body))
        } else {
            answer.body
        };
        let cookies = journey.cookies.into_iter();
        Response {
            status: answer.head.status,
            reason: answer.head.reason,
            headers: answer.head.headers,
            url: journey.request.url,
            redirects: journey.redirects,
            cookies: cookies.map(|(_, name, value)| (name, value)).collect(),
            is_loop,
            body,
        }
    }
}

fn asks_for_password(headers: &Headers) -> bool {
    headers
        .all("www-authenticate")
        .any(|question| question.to_ascii_lowercase().starts_with("basic"))
}

impl Journey {
    fn log_in(&mut self, login: &(String, String)) {
        self.is_logged_in = true;
        self.request.headers.set("Authorization", basic(login));
    }

    /// Whether redirects have gone on for too long.
    fn is_lost(&mut self, url: &Url) -> bool {
        let same = self.visits.entry(url.to_string()).or_insert(0);
        if *same >= SAME_URL {
            return true;
        }
        *same += 1;
        self.visits.len() > URLS
    }

    /// Goes where a redirect leads to. Who we are is told to the same server only.
    fn follow(&mut self, url: Url, status: u16, client: &Client) {
        let request = &mut self.request;
        let keeps_body = matches!(status, 307 | 308) && client.follow != Follow::Usual;
        if !keeps_body {
            request.body = Body::None;
            for name in ["Content-Length", "Content-Type", "Transfer-Encoding"] {
                request.headers.remove(name);
            }
            let becomes_get = match client.follow {
                Follow::Usual => true,
                _ if request.method == "HEAD" => false,
                _ => matches!(status, 302 | 303) || (status == 301 && request.method == "POST"),
            };
            if becomes_get {
                request.method = "GET".into();
            }
        }
        for name in &client.unredirected {
            request.headers.remove(name);
        }
        if !request.url.is_same_server(&url) {
            request.headers.remove("Authorization");
            request.headers.remove("Cookie");
        }
        request.url = url;
        self.redirects += 1;
    }

    fn keep_cookies(&mut self, headers: &Headers) {
        for cookie in headers.all("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                let (name, value) = (name.trim(), value.trim().trim_matches('"'));
                self.cookies.retain(|(_, own, _)| own != name);
                let from = self.request.url.clone();
                self.cookies.push((from, name.to_owned(), value.to_owned()));
            }
        }
    }

    /// The cookies that the server of a URL has set itself.
    fn cookies_for(&self, url: &Url) -> String {
        let own = self
            .cookies
            .iter()
            .filter(|(from, ..)| from.is_same_server(url));
        let pairs: Vec<String> = own
            .map(|(_, name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}
