//! What ansible-core 2.19 reports for the release files of many distributions.

use std::fs;

use serde_json::{Value, json};

use super::*;

/// Gathers from a tree with these files.
fn gathered(files: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Value::Object(collect(&Root::new(folder.path())))
}

/// What is expected of a distribution whose file was parsed, without a minor version.
fn expected(name: &str, version: &str, release: &str, family: &str, source: (&str, &str)) -> Value {
    json!({
        "distribution": name,
        "distribution_release": release,
        "distribution_version": version,
        "distribution_major_version": version.split('.').next().unwrap(),
        "distribution_file_path": source.0,
        "distribution_file_variety": source.1,
        "distribution_file_parsed": true,
        "os_family": family,
    })
}

fn with(mut value: Value, key: &str, entry: &str) -> Value {
    value[key] = json!(entry);
    value
}

const MINOR: &str = "distribution_minor_version";
const SEARCH: &str = "distribution_file_search_string";
const OS: (&str, &str) = ("/etc/os-release", "Debian");

#[test]
fn debian_12_takes_its_minor_version_from_debian_version() {
    let os = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
    let facts = gathered(&[("etc/os-release", os), ("etc/debian_version", "12.11\n")]);
    assert_eq!(
        facts,
        with(
            expected("Debian", "12.11", "bookworm", "Debian", OS),
            MINOR,
            "11"
        )
    );
    let sid = "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nNAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=trixie\nID=debian\n";
    let facts = gathered(&[
        ("etc/os-release", sid),
        ("etc/debian_version", "trixie/sid\n"),
    ]);
    assert_eq!(
        facts,
        expected("Debian", "trixie/sid", "trixie", "Debian", OS)
    );
}

#[test]
fn ubuntu_24_04_is_of_debians_family() {
    let os = "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nVERSION=\"24.04.1 LTS (Noble Numbat)\"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n";
    let facts = gathered(&[
        ("etc/os-release", os),
        ("etc/debian_version", "trixie/sid\n"),
    ]);
    assert_eq!(facts, expected("Ubuntu", "24.04", "noble", "Debian", OS));
}

#[test]
fn distributions_that_come_from_debian_keep_their_names() {
    let mint = "NAME=\"Linux Mint\"\nVERSION=\"21.3 (Virginia)\"\nID=linuxmint\nVERSION_ID=\"21.3\"\nVERSION_CODENAME=virginia\n";
    assert_eq!(
        gathered(&[("etc/os-release", mint)]),
        expected("Linux Mint", "21.3", "virginia", "Debian", OS)
    );
    let kali =
        "NAME=\"Kali GNU/Linux\"\nVERSION_ID=\"2024.1\"\nVERSION_CODENAME=kali-rolling\nID=kali\n";
    assert_eq!(
        gathered(&[("etc/os-release", kali)]),
        expected("Kali", "2024.1", "kali-rolling", "Debian", OS)
    );
    let pop = "NAME=\"Pop!_OS\"\nVERSION=\"22.04 LTS\"\nID=pop\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n";
    let source = ("/etc/os-release", "NA");
    assert_eq!(
        gathered(&[("etc/os-release", pop)]),
        expected("Pop!_OS", "22.04", "jammy", "Debian", source)
    );
    let raspbian =
        "NAME=\"Raspbian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=raspbian\n";
    let facts = gathered(&[
        ("etc/os-release", raspbian),
        ("etc/debian_version", "12.4\n"),
    ]);
    assert_eq!(
        facts,
        with(
            expected("Debian", "12", "bookworm", "Debian", OS),
            MINOR,
            "4"
        )
    );
}

#[test]
fn red_hat_9_is_found_by_its_release_file() {
    let os = "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"9.4 (Plow)\"\nID=\"rhel\"\nVERSION_ID=\"9.4\"\n";
    let facts = gathered(&[
        ("etc/os-release", os),
        (
            "etc/redhat-release",
            "Red Hat Enterprise Linux release 9.4 (Plow)\n",
        ),
    ]);
    let source = ("/etc/redhat-release", "RedHat");
    assert_eq!(
        facts,
        with(
            expected("RedHat", "9.4", "Plow", "RedHat", source),
            SEARCH,
            "Red Hat"
        )
    );
}

#[test]
fn the_kin_of_red_hat_are_named_by_the_first_word_of_redhat_release() {
    let source = ("/etc/redhat-release", "RedHat");
    let os =
        "NAME=\"Rocky Linux\"\nVERSION=\"9.3 (Blue Onyx)\"\nID=\"rocky\"\nVERSION_ID=\"9.3\"\n";
    let own = "Rocky Linux release 9.3 (Blue Onyx)\n";
    let facts = gathered(&[("etc/os-release", os), ("etc/redhat-release", own)]);
    assert_eq!(
        facts,
        expected("Rocky", "9.3", "Blue Onyx", "RedHat", source)
    );
    let os = "NAME=\"Fedora Linux\"\nVERSION=\"40 (Container Image)\"\nID=fedora\nVERSION_ID=40\nVERSION_CODENAME=\"\"\n";
    let facts = gathered(&[
        ("etc/os-release", os),
        ("etc/redhat-release", "Fedora release 40 (Forty)\n"),
    ]);
    assert_eq!(facts, expected("Fedora", "40", "", "RedHat", source));
    let os = "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nVERSION_ID=\"7\"\n";
    let own = "CentOS Linux release 7.9.2009 (Core)\n";
    let facts = gathered(&[
        ("etc/os-release", os),
        ("etc/redhat-release", own),
        ("etc/centos-release", own),
    ]);
    assert_eq!(facts, expected("CentOS", "7.9", "Core", "RedHat", source));
}

#[test]
fn centos_stream_and_oracle_have_files_of_their_own() {
    let os = "NAME=\"CentOS Stream\"\nVERSION=\"9\"\nID=\"centos\"\nVERSION_ID=\"9\"\n";
    let own = "CentOS Stream release 9\n";
    let facts = gathered(&[
        ("etc/os-release", os),
        ("etc/redhat-release", own),
        ("etc/centos-release", own),
    ]);
    assert_eq!(
        facts,
        expected(
            "CentOS",
            "9",
            "Stream",
            "RedHat",
            ("/etc/centos-release", "CentOS")
        )
    );
    let os = "NAME=\"Oracle Linux Server\"\nVERSION=\"9.3\"\nID=\"ol\"\nVERSION_ID=\"9.3\"\n";
    let facts = gathered(&[
        ("etc/os-release", os),
        ("etc/oracle-release", "Oracle Linux Server release 9.3\n"),
        (
            "etc/redhat-release",
            "Red Hat Enterprise Linux release 9.3 (Plow)\n",
        ),
    ]);
    let source = ("/etc/oracle-release", "OracleLinux");
    assert_eq!(
        facts,
        with(
            expected("OracleLinux", "9.3", "NA", "RedHat", source),
            SEARCH,
            "Oracle Linux"
        )
    );
}

#[test]
fn amazon_always_has_a_minor_version() {
    let source = ("/etc/os-release", "Amazon");
    let os = "NAME=\"Amazon Linux\"\nVERSION=\"2023\"\nID=\"amzn\"\nVERSION_ID=\"2023\"\n";
    let facts = gathered(&[
        ("etc/os-release", os),
        (
            "etc/system-release",
            "Amazon Linux release 2023.3 (Amazon Linux)\n",
        ),
    ]);
    assert_eq!(
        facts,
        with(
            expected("Amazon", "2023", "NA", "RedHat", source),
            MINOR,
            "NA"
        )
    );
    let os =
        "NAME=\"Amazon Linux AMI\"\nVERSION=\"2018.03\"\nID=\"amzn\"\nVERSION_ID=\"2018.03\"\n";
    let facts = gathered(&[("etc/os-release", os)]);
    assert_eq!(
        facts,
        with(
            expected("Amazon", "2018.03", "NA", "RedHat", source),
            MINOR,
            "03"
        )
    );
}

#[test]
fn alpine_takes_its_version_from_alpine_release() {
    let os = "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.1\n";
    let facts = gathered(&[("etc/os-release", os), ("etc/alpine-release", "3.19.1\n")]);
    assert_eq!(
        facts,
        expected(
            "Alpine",
            "3.19.1",
            "NA",
            "Alpine",
            ("/etc/alpine-release", "Alpine")
        )
    );
}

#[test]
fn arch_has_no_version_and_its_marker_file_is_not_parsed() {
    let os = "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n";
    let mut marked = expected(
        "Archlinux",
        "NA",
        "NA",
        "Archlinux",
        ("/etc/arch-release", "Archlinux"),
    );
    marked
        .as_object_mut()
        .unwrap()
        .remove("distribution_file_parsed");
    assert_eq!(
        gathered(&[("etc/os-release", os), ("etc/arch-release", "")]),
        marked
    );
    let unmarked = expected(
        "Archlinux",
        "NA",
        "NA",
        "Archlinux",
        ("/etc/os-release", "Archlinux"),
    );
    assert_eq!(gathered(&[("etc/os-release", os)]), unmarked);
}

#[test]
fn suse_counts_service_packs_as_the_release() {
    let source = ("/etc/os-release", "SUSE");
    let leap =
        "NAME=\"openSUSE Leap\"\nVERSION=\"15.5\"\nID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n";
    assert_eq!(
        gathered(&[("etc/os-release", leap)]),
        expected("openSUSE Leap", "15.5", "5", "Suse", source)
    );
    let rolling =
        "NAME=\"openSUSE Tumbleweed\"\nID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20240301\"\n";
    let facts = gathered(&[("etc/os-release", rolling)]);
    assert_eq!(
        facts,
        expected("openSUSE Tumbleweed", "20240301", "", "Suse", source)
    );
    let sles =
        "NAME=\"SLES\"\nVERSION=\"15-SP5\"\nVERSION_ID=\"15.5\"\nID=\"sles\"\nID_LIKE=\"suse\"\n";
    assert_eq!(
        gathered(&[("etc/os-release", sles)]),
        expected("SLES", "15.5", "5", "Suse", source)
    );
}

#[test]
fn a_host_without_release_files_is_some_other_linux() {
    let facts = json!({
        "distribution": "OtherLinux",
        "distribution_release": "NA",
        "distribution_version": "NA",
        "distribution_major_version": "NA",
        "os_family": "OtherLinux",
    });
    assert_eq!(gathered(&[]), facts);
}

#[test]
fn others_are_named_by_os_release() {
    let source = ("/etc/os-release", "NA");
    let nixos = "NAME=NixOS\nID=nixos\nVERSION_CODENAME=tapir\nVERSION_ID=\"23.11\"\n";
    assert_eq!(
        gathered(&[("etc/os-release", nixos)]),
        expected("NixOS", "23.11", "tapir", "NixOS", source)
    );
    let void = "NAME=\"Void\"\nID=\"void\"\n";
    assert_eq!(
        gathered(&[("etc/os-release", void)]),
        expected("Void", "NA", "NA", "Void", source)
    );
    let flatcar = "NAME=\"Flatcar Container Linux by Kinvolk\"\nID=flatcar\nVERSION_ID=3760.2.0\n";
    let facts = gathered(&[("etc/os-release", flatcar)]);
    assert_eq!(
        facts,
        expected(
            "Flatcar",
            "3760.2.0",
            "NA",
            "Flatcar",
            ("/etc/os-release", "Flatcar")
        )
    );
}
