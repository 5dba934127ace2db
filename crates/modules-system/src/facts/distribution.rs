//! Which Linux distribution runs here.

use super::distribution_family::os_family;
use super::release_file::ReleaseFile;
use super::{Facts, Root, insert};

/// What stands for a value that the host does not tell.
const UNKNOWN: &str = "NA";

const CLEAR_LINUX: &str = "ClearLinux";

/// What the release files say.
struct Distribution {
    name: String,
    version: String,
    release: String,
    minor: Option<String>,
    file: Option<ReleaseSource>,
}

/// The file that decided, and what it was recognised by.
struct ReleaseSource {
    path: &'static str,
    variety: &'static str,
    /// Arch Linux's marker file is empty: it is found, not parsed.
    parsed: bool,
    search_string: Option<&'static str>,
}

impl ReleaseSource {
    fn new(path: &'static str, variety: &'static str) -> Self {
        Self {
            path,
            variety,
            parsed: true,
            search_string: None,
        }
    }
}

/// Gathers `distribution*` and `os_family`.
pub(super) fn collect(root: &Root) -> Facts {
    let found = recognise(root);
    let major = found.version.split('.').next().unwrap_or_default();
    let mut facts = Facts::new();
    insert(&mut facts, "distribution", found.name.as_str());
    insert(&mut facts, "distribution_release", found.release.as_str());
    insert(&mut facts, "distribution_version", found.version.as_str());
    insert(&mut facts, "distribution_major_version", major);
    if let Some(file) = &found.file {
        insert(&mut facts, "distribution_file_path", file.path);
        insert(&mut facts, "distribution_file_variety", file.variety);
        if file.parsed {
            insert(&mut facts, "distribution_file_parsed", true);
        }
        if let Some(search_string) = file.search_string {
            insert(&mut facts, "distribution_file_search_string", search_string);
        }
    }
    if let Some(minor) = found.minor {
        insert(&mut facts, "distribution_minor_version", minor);
    }
    insert(&mut facts, "os_family", os_family(&found.name));
    facts
}

/// Asks the distributions' own files in turn; the first one that knows decides.
fn recognise(root: &Root) -> Distribution {
    let os_release = OsRelease::read(root);
    own_release_file(root, &os_release)
        .or_else(|| red_hat(root, &os_release))
        .or_else(|| marker_file(root, &os_release))
        .or_else(|| by_os_release(root, &os_release))
        .unwrap_or_else(|| Distribution {
            name: "OtherLinux".to_owned(),
            version: UNKNOWN.to_owned(),
            release: UNKNOWN.to_owned(),
            minor: None,
            file: None,
        })
}

/// `os-release`, with what every distribution takes from it.
struct OsRelease {
    path: &'static str,
    text: String,
    file: ReleaseFile,
}

impl OsRelease {
    fn read(root: &Root) -> Self {
        let found = ["/etc/os-release", "/usr/lib/os-release"]
            .into_iter()
            .find_map(|path| {
                root.text(path)
                    .filter(|text| !text.trim().is_empty())
                    .map(|text| (path, text))
            });
        let (path, text) = found.unwrap_or(("/etc/os-release", String::new()));
        Self {
            path,
            file: ReleaseFile::parse(&text),
            text,
        }
    }

    fn id(&self) -> &str {
        self.file.value("ID").unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.file.value("NAME").unwrap_or_default()
    }

    fn version(&self) -> String {
        known(self.file.value("VERSION_ID").unwrap_or_default())
    }

    /// The code name; `backup` is the text of the distribution's own release file.
    fn release(&self, backup: &str) -> String {
        if let Some(name) = self
            .file
            .value("VERSION_CODENAME")
            .or_else(|| self.file.value("UBUNTU_CODENAME"))
        {
            return name.to_owned();
        }
        let version = self.file.value("VERSION").unwrap_or_default();
        known(
            in_parentheses(version)
                .or_else(|| in_parentheses(backup))
                .unwrap_or_default(),
        )
    }

    fn distribution(&self, name: &str, file: ReleaseSource) -> Distribution {
        Distribution {
            name: name.to_owned(),
            version: self.version(),
            release: self.release(""),
            minor: None,
            // Ansible tells of the vendor's copy in `/usr/lib` for Clear Linux only.
            file: Some(file)
                .filter(|file| file.variety == CLEAR_LINUX || !file.path.starts_with("/usr/")),
        }
    }
}

fn known(value: &str) -> String {
    if value.is_empty() {
        UNKNOWN.to_owned()
    } else {
        value.to_owned()
    }
}

fn in_parentheses(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('(')?;
    let (inside, _) = rest.split_once(')')?;
    Some(inside)
}

/// ALT, Oracle Linux and Slackware, which are known by their own files.
fn own_release_file(root: &Root, os_release: &OsRelease) -> Option<Distribution> {
    if let Some(text) = root
        .text("/etc/altlinux-release")
        .filter(|text| text.contains("ALT"))
    {
        let source = ReleaseSource {
            search_string: Some("ALT"),
            ..ReleaseSource::new("/etc/altlinux-release", "Altlinux")
        };
        let release = os_release.release(&text);
        return Some(Distribution {
            release,
            ..os_release.distribution("Altlinux", source)
        });
    }
    if root
        .text("/etc/oracle-release")
        .is_some_and(|text| text.contains("Oracle Linux"))
    {
        let source = ReleaseSource {
            search_string: Some("Oracle Linux"),
            ..ReleaseSource::new("/etc/oracle-release", "OracleLinux")
        };
        return Some(os_release.distribution("OracleLinux", source));
    }
    let text = root
        .text("/etc/slackware-version")
        .filter(|text| text.contains("Slackware"))?;
    let source = ReleaseSource::new("/etc/slackware-version", "Slackware");
    let version = version_in(&text).map_or_else(|| os_release.version(), str::to_owned);
    Some(Distribution {
        version,
        ..os_release.distribution("Slackware", source)
    })
}

/// Red Hat and those that come from it: the first words of their release file are the name.
fn red_hat(root: &Root, os_release: &OsRelease) -> Option<Distribution> {
    if root
        .text("/etc/centos-release")
        .is_some_and(|text| text.contains("CentOS Stream"))
    {
        let source = ReleaseSource::new("/etc/centos-release", "CentOS");
        return Some(Distribution {
            release: "Stream".to_owned(),
            ..os_release.distribution("CentOS", source)
        });
    }
    let text = root
        .text("/etc/redhat-release")
        .filter(|text| !text.trim().is_empty())?;
    let mut source = ReleaseSource::new("/etc/redhat-release", "RedHat");
    let name = if text.contains("Red Hat") {
        source.search_string = Some("Red Hat");
        "RedHat"
    } else {
        text.split_whitespace().next().unwrap_or_default()
    };
    let version = red_hat_version(&text, os_release);
    let release = os_release.release(&text);
    Some(Distribution {
        version,
        release,
        ..os_release.distribution(name, source)
    })
}

/// CentOS keeps its minor version in the release file only.
fn red_hat_version(text: &str, os_release: &OsRelease) -> String {
    let from_file =
        || version_in(text).map(|version| version.split('.').take(2).collect::<Vec<_>>().join("."));
    if os_release.id() == "centos" || os_release.file.value("VERSION_ID").is_none() {
        return from_file().unwrap_or_else(|| os_release.version());
    }
    os_release.version()
}

/// The first word that starts with a digit.
fn version_in(text: &str) -> Option<&str> {
    text.split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// OpenWrt, Amazon, Alpine and Arch: a file of their own beside os-release.
fn marker_file(root: &Root, os_release: &OsRelease) -> Option<Distribution> {
    if let Some(text) = root
        .text("/etc/openwrt_release")
        .filter(|text| text.contains("OpenWrt"))
    {
        let release = ReleaseFile::parse(&text);
        let version = release
            .value("DISTRIB_RELEASE")
            .map_or_else(|| os_release.version(), str::to_owned);
        let source = ReleaseSource::new("/etc/openwrt_release", "OpenWrt");
        return Some(Distribution {
            version,
            ..os_release.distribution("OpenWrt", source)
        });
    }
    if let Some(found) = amazon(root, os_release) {
        return Some(found);
    }
    if let Some(version) = root.trimmed("/etc/alpine-release") {
        let source = ReleaseSource::new("/etc/alpine-release", "Alpine");
        return Some(Distribution {
            version: known(&version),
            ..os_release.distribution("Alpine", source)
        });
    }
    if root.exists("/etc/arch-release") {
        let source = ReleaseSource {
            parsed: false,
            ..ReleaseSource::new("/etc/arch-release", "Archlinux")
        };
        return Some(os_release.distribution("Archlinux", source));
    }
    None
}

fn amazon(root: &Root, os_release: &OsRelease) -> Option<Distribution> {
    let (path, version) = if os_release.text.contains("Amazon") {
        (os_release.path, os_release.version())
    } else {
        let text = root
            .text("/etc/system-release")
            .filter(|text| text.contains("Amazon"))?;
        (
            "/etc/system-release",
            version_in(&text).map_or_else(|| os_release.version(), str::to_owned),
        )
    };
    let minor = version.split('.').nth(1).unwrap_or(UNKNOWN).to_owned();
    let distribution = os_release.distribution("Amazon", ReleaseSource::new(path, "Amazon"));
    Some(Distribution {
        version,
        minor: Some(minor),
        release: UNKNOWN.to_owned(),
        ..distribution
    })
}

/// Those that have nothing but os-release.
fn by_os_release(root: &Root, os_release: &OsRelease) -> Option<Distribution> {
    let text = os_release.text.as_str();
    if text.trim().is_empty() {
        return None;
    }
    let source = |variety| ReleaseSource::new(os_release.path, variety);
    if text.contains("Arch Linux") {
        return Some(os_release.distribution("Archlinux", source("Archlinux")));
    }
    if text.to_lowercase().contains("suse") {
        return Some(suse(root, os_release, source("SUSE")));
    }
    if let Some(name) = debian_name(os_release) {
        return Some(debian(root, os_release, name, source("Debian")));
    }
    if text.contains("Flatcar") {
        return Some(os_release.distribution("Flatcar", source("Flatcar")));
    }
    if os_release.id() == "clear-linux-os" {
        let vendors = "/usr/lib/os-release";
        let path = if root.exists(vendors) {
            vendors
        } else {
            os_release.path
        };
        let found =
            os_release.distribution(os_release.name(), ReleaseSource::new(path, CLEAR_LINUX));
        return Some(Distribution {
            release: os_release.id().to_owned(),
            ..found
        });
    }
    Some(os_release.distribution(&known(os_release.name()), source(UNKNOWN)))
}

/// SUSE counts service packs as the release.
fn suse(root: &Root, os_release: &OsRelease, source: ReleaseSource) -> Distribution {
    let sap = root
        .link_name("/etc/products.d/baseproduct")
        .is_some_and(|product| product == "SLES_SAP.prod");
    let name = if sap { "SLES_SAP" } else { os_release.name() };
    let found = os_release.distribution(name, source);
    let minor = found.version.split('.').nth(1);
    let release = match name {
        "SLES" | "SLED" | "SLES_SAP" => minor.unwrap_or("0").to_owned(),
        name if name.starts_with("openSUSE") => minor.unwrap_or_default().to_owned(),
        _ => found.release.clone(),
    };
    Distribution { release, ..found }
}

/// The name of a distribution that is of Debian's kind, by what its os-release mentions.
fn debian_name(os_release: &OsRelease) -> Option<&'static str> {
    const MENTIONS: [(&str, &str); 12] = [
        ("LMDE", "Linux Mint Debian Edition"),
        ("Parrot", "Parrot"),
        ("Linux Mint", "Linux Mint"),
        ("Debian", "Debian"),
        ("Raspbian", "Debian"),
        ("Ubuntu", "Ubuntu"),
        ("SteamOS", "SteamOS"),
        ("Kali", "Kali"),
        ("Devuan", "Devuan"),
        ("Cumulus", "Cumulus Linux"),
        ("UOS", "Uos"),
        ("Deepin", "Deepin"),
    ];
    MENTIONS
        .iter()
        .find(|(mention, _)| os_release.text.contains(mention))
        .map(|(_, name)| *name)
}

/// Debian writes its minor version into a file of its own.
fn debian(root: &Root, os_release: &OsRelease, name: &str, source: ReleaseSource) -> Distribution {
    let mut found = os_release.distribution(name, source);
    if name != "Debian" {
        return found;
    }
    let Some(version) = root
        .trimmed("/etc/debian_version")
        .filter(|version| !version.is_empty())
    else {
        return found;
    };
    found.minor = version
        .split_once('.')
        .filter(|(major, _)| major.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|(_, minor)| minor.chars().take_while(char::is_ascii_digit).collect());
    if os_release.id() == "debian" {
        found.version = version;
    }
    found
}

#[cfg(test)]
mod tests;
