//! Text for HTML and XML.

use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, entries, text};
use super::patterns::{compiled, matches};
use crate::error::invalid;

const URL: &str = r"^(?:(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)|https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))(?::\d{1,5})?(?:[/?#]\S*)?$";
const ADDRESS: &str = r"^\S+@\w[\w.-]*\.\w+$";
/// What may enclose a link without being part of it.
const OPENING: [&str; 3] = ["(", "<", "&lt;"];
const CLOSING: [&str; 6] = [")", ">", ".", ",", "\n", "&gt;"];

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(environment, &[("xmlattr", xmlattr), ("urlize", urlize)]);
}

fn escaped(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    for char in body.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn xmlattr(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let mut attributes = Vec::new();
    for (key, item) in entries(value)? {
        if item.is_none() || item.is_undefined() {
            continue;
        }
        let key = text(&key);
        if key.contains(|char: char| char.is_ascii_whitespace() || "/>=".contains(char)) {
            return Err(invalid(format!(
                "`{key}` cannot be the name of an attribute"
            )));
        }
        attributes.push(format!("{}=\"{}\"", escaped(&key), escaped(&text(&item))));
    }
    let joined = attributes.join(" ");
    let space = if args.flag(0, "autospace", true) && !joined.is_empty() {
        " "
    } else {
        ""
    };
    Ok(Value::from(format!("{space}{joined}")))
}

/// What links get beside their target.
struct Links {
    attributes: String,
    limit: Option<usize>,
    schemes: Vec<String>,
}

fn urlize(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = escaped(&text(value));
    let mut rel: Vec<String> = args
        .text_or(3, "rel", "")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if args.flag(1, "nofollow", false) {
        rel.push("nofollow".into());
    }
    rel.push("noopener".into());
    rel.sort();
    rel.dedup();
    let mut attributes = format!(" rel=\"{}\"", escaped(&rel.join(" ")));
    if let Some(target) = args.text(2, "target") {
        attributes = format!("{attributes} target=\"{}\"", escaped(&target));
    }
    let schemes = match args
        .get(4, "extra_schemes")
        .filter(|schemes| !schemes.is_none())
    {
        Some(schemes) => super::items(&schemes)?.iter().map(text).collect(),
        None => Vec::new(),
    };
    let links = Links {
        attributes,
        limit: args
            .whole(0, "trim_url_limit")?
            .and_then(|limit| usize::try_from(limit).ok()),
        schemes,
    };
    let mut out = String::with_capacity(body.len());
    for word in body.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        out += &links.word(bare)?;
        out += &word[bare.len()..];
    }
    Ok(Value::from(out))
}

impl Links {
    /// A word, as a link where it is one.
    fn word(&self, word: &str) -> Result<String, Error> {
        let mut rest = word;
        while let Some(inner) = OPENING.iter().find_map(|open| rest.strip_prefix(open)) {
            rest = inner;
        }
        let head = &word[..word.len() - rest.len()];
        let mut end = rest.len();
        while let Some(inner) = CLOSING
            .iter()
            .find_map(|close| rest[..end].strip_suffix(close))
        {
            end = inner.len();
        }
        end = balanced(rest, end);
        let (middle, tail) = rest.split_at(end);
        Ok(format!("{head}{}{tail}", self.link(middle)?))
    }

    fn link(&self, word: &str) -> Result<String, Error> {
        let is = |pattern: &str, text: &str| -> Result<bool, Error> {
            let regex = compiled(pattern, true, false, text)?;
            Ok(!matches(&regex, text, 1)?.is_empty())
        };
        let to = |target: &str| {
            let shown = self
                .limit
                .filter(|limit| word.chars().count() > *limit)
                .map_or_else(
                    || word.to_owned(),
                    |limit| word.chars().take(limit).chain("...".chars()).collect(),
                );
            format!("<a href=\"{target}\"{}>{shown}</a>", self.attributes)
        };
        if is(URL, word)? {
            let is_whole = word.starts_with("http://") || word.starts_with("https://");
            return Ok(if is_whole {
                to(word)
            } else {
                to(&format!("https://{word}"))
            });
        }
        if let Some(address) = word.strip_prefix("mailto:") {
            if is(ADDRESS, address)? {
                return Ok(format!("<a href=\"{word}\">{address}</a>"));
            }
        } else if word.contains('@')
            && !word.starts_with("www.")
            && !word.contains(':')
            && is(ADDRESS, word)?
        {
            return Ok(format!("<a href=\"mailto:{word}\">{word}</a>"));
        }
        let has_scheme = |scheme: &String| word != scheme && word.starts_with(scheme.as_str());
        Ok(if self.schemes.iter().any(has_scheme) {
            to(word)
        } else {
            word.to_owned()
        })
    }
}

/// Where a link ends if it takes back the closing brackets that it opened.
fn balanced(word: &str, mut end: usize) -> usize {
    for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
        let opened = word[..end].matches(open).count();
        if opened <= word[..end].matches(close).count() {
            continue;
        }
        for _ in 0..opened.min(word[end..].matches(close).count()) {
            end += word[end..].find(close).map_or(0, |at| at + close.len());
        }
    }
    end
}
