//! What Ansible's own modules did, done again.

use rustle_modules_system::FAMILY;
use rustle_testkit::golden::{Call, Golden, Outcome, is_sandbox};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden");

fn run(call: &Call<'_>) -> Outcome {
    call.run(FAMILY)
}

const DASH: &str = "Ansible hands a name that starts with `-` over as an option";

const GETENT_EXCEPTIONS: &[(&str, &str)] = &[("x-ge-dash", DASH)];

const GROUP_EXCEPTIONS: &[(&str, &str)] = &[("x-group-dash", DASH)];

const USER_EXCEPTIONS: &[(&str, &str)] = &[
    ("x-user-dashname", DASH),
    (
        "x-user-parents",
        "only the folders above the home are made beforehand, so that `useradd` has nothing to warn of",
    ),
];

#[test]
fn getent_does_what_ansible_does() {
    Golden::load(FOLDER, &["getent", "getent-more"]).check(GETENT_EXCEPTIONS, run);
}

#[test]
fn group_does_what_ansible_does() {
    if is_sandbox("golden::group_does_what_ansible_does") {
        Golden::load(FOLDER, &["group", "group-more"]).check(GROUP_EXCEPTIONS, run);
    }
}

#[test]
fn user_does_what_ansible_does() {
    if is_sandbox("golden::user_does_what_ansible_does") {
        Golden::load(FOLDER, &["user", "user-more"]).check(USER_EXCEPTIONS, run);
    }
}

const CRON_EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn cron_does_what_ansible_does() {
    if is_sandbox("golden::cron_does_what_ansible_does") {
        Golden::load(FOLDER, &["cron", "cron-more"]).check(CRON_EXCEPTIONS, run);
    }
}

const AUTHORIZED_KEY_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-ak-dir",
    "a folder in the place of the file is refused before anything of it is changed",
)];

#[test]
fn authorized_key_does_what_ansible_does() {
    let golden = Golden::load(FOLDER, &["authorized_key", "authorized_key-more"]);
    golden.check(AUTHORIZED_KEY_EXCEPTIONS, run);
}

const SYSCTL_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "x-sysctl-dir",
        "a folder in the place of the file is refused when it is read",
    ),
    (
        "x-sysctl-nofolder",
        "the message names the file, and not a temporary one",
    ),
];

#[test]
fn sysctl_does_what_ansible_does() {
    Golden::load(FOLDER, &["sysctl", "sysctl-more"]).check(SYSCTL_EXCEPTIONS, run);
}

const CREATES_NOTHING: &str = "check mode creates no `fstab`";

const MOUNT_EXCEPTIONS: &[(&str, &str)] = &[
    ("x-mount-nofs", CREATES_NOTHING),
    ("x-mount-nofs-deep", CREATES_NOTHING),
    (
        "x-mount-opts-space",
        "a tab in a field is escaped, as it would end the field",
    ),
];

#[test]
fn mount_does_what_ansible_does() {
    if is_sandbox("golden::mount_does_what_ansible_does") {
        Golden::load(FOLDER, &["mount", "mount-more"]).check(MOUNT_EXCEPTIONS, run);
    }
}

const PAM_LIMITS_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-pam_limits-nonewline",
    "a last line without an end gets one before a line is added behind it",
)];

#[test]
fn pam_limits_does_what_ansible_does() {
    Golden::load(FOLDER, &["pam_limits", "pam_limits-more"]).check(PAM_LIMITS_EXCEPTIONS, run);
}

const SUDOERS_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-sudoers-nouser",
    "a rule for nobody is refused before anything is written, also in check mode",
)];

#[test]
fn sudoers_does_what_ansible_does() {
    Golden::load(FOLDER, &["sudoers", "sudoers-more"]).check(SUDOERS_EXCEPTIONS, run);
}

const IPTABLES_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "x-iptables-icmpboth",
        "each version of IP gets its own option, where Ansible hands both to each",
    ),
    (
        "x-iptables-wait-policy",
        "`-w` stands behind the policy, which has to follow its chain",
    ),
    ("x-iptables-empty-flags", "the message says what is missing"),
    ("x-iptables-flags-half", "the message says what is missing"),
    ("x-iptables-empty-strings", "the message says what is empty"),
];

#[test]
fn iptables_does_what_ansible_does() {
    if is_sandbox("golden::iptables_does_what_ansible_does") {
        Golden::load(FOLDER, &["iptables-more"]).check(IPTABLES_EXCEPTIONS, run);
    }
}

const ALTERNATIVES_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-alternatives-sub-keep",
    "links that go along stay where the task says nothing of them",
)];

#[test]
fn alternatives_does_what_ansible_does() {
    if is_sandbox("golden::alternatives_does_what_ansible_does") {
        Golden::load(FOLDER, &["alternatives-more"]).check(ALTERNATIVES_EXCEPTIONS, run);
    }
}

const AT_EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn at_does_what_ansible_does() {
    if is_sandbox("golden::at_does_what_ansible_does") {
        Golden::load(FOLDER, &["at-more"]).check(AT_EXCEPTIONS, run);
    }
}

const LINES: &str =
    "lines that are not meant stay as they are, where Ansible puts empty ones between them";

const MODPROBE_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "x-modprobe-nodirs",
        "the message names the file, and not a temporary one",
    ),
    (
        "x-modprobe-persist-dropparams",
        "a file without options is not created",
    ),
    ("x-modprobe-persist-otherparams", LINES),
    ("x-modprobe-unpersist", LINES),
    ("x-modprobe-unpersist-nonewline", LINES),
];

#[test]
fn modprobe_does_what_ansible_does() {
    if is_sandbox("golden::modprobe_does_what_ansible_does") {
        Golden::load(FOLDER, &["modprobe-more"]).check(MODPROBE_EXCEPTIONS, run);
    }
}

const MOUNT_FACTS_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-mount_facts-mountbin-null",
    "the message says what is missing",
)];

#[test]
fn mount_facts_does_what_ansible_does() {
    if is_sandbox("golden::mount_facts_does_what_ansible_does") {
        Golden::load(
            FOLDER,
            &[
                "mount_facts",
                "mount_facts-more",
                "mount_facts-lines",
                "mount_facts-src",
            ],
        )
        .check(MOUNT_FACTS_EXCEPTIONS, run);
    }
}

const MARKS: &str = "marks before the names of units are no names";

const SERVICE_FACTS_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "x-service_facts-systemd",
        "the `systemctl` of `PATH` is asked",
    ),
    ("x-service_facts-systemd-only", MARKS),
    ("x-service_facts-systemd-tools", MARKS),
    ("x-service_facts-noshow", MARKS),
    ("x-service_facts-showfails", MARKS),
    (
        "x-service_facts-chkconfig-service",
        "services are told also where there is a `chkconfig`",
    ),
];

#[test]
fn service_facts_does_what_ansible_does() {
    if is_sandbox("golden::service_facts_does_what_ansible_does") {
        Golden::load(FOLDER, &["service_facts-more", "service_facts-rc"])
            .check(SERVICE_FACTS_EXCEPTIONS, run);
    }
}

const TIMEZONE_EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn timezone_does_what_ansible_does() {
    if is_sandbox("golden::timezone_does_what_ansible_does") {
        Golden::load(FOLDER, &["timezone-more"]).check(TIMEZONE_EXCEPTIONS, run);
    }
}

const ADDED: &str = "a locale that the file does not list is added to it";

const LOCALE_GEN_EXCEPTIONS: &[(&str, &str)] = &[
    ("x-locale_gen-notlisted", ADDED),
    ("x-locale_gen-notlisted2", ADDED),
    ("x-locale_gen-spaces", "a line may have more than one blank"),
];

#[test]
fn locale_gen_does_what_ansible_does() {
    if is_sandbox("golden::locale_gen_does_what_ansible_does") {
        Golden::load(FOLDER, &["locale_gen-more"]).check(LOCALE_GEN_EXCEPTIONS, run);
    }
}

const TURNED: &str =
    "a service that was disabled is enabled, where Ansible leaves its links as they are";

const SYSVINIT_EXCEPTIONS: &[(&str, &str)] =
    &[("x-sysvinit-enable", TURNED), ("x-sysvinit-both", TURNED)];

#[test]
fn sysvinit_does_what_ansible_does() {
    if is_sandbox("golden::sysvinit_does_what_ansible_does") {
        Golden::load(FOLDER, &["sysvinit-more"]).check(SYSVINIT_EXCEPTIONS, run);
    }
}

const UFW_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-ufw-full",
    "a comment may be any text, and `ufw` says what it does not take",
)];

#[test]
fn ufw_does_what_ansible_does() {
    if is_sandbox("golden::ufw_does_what_ansible_does") {
        Golden::load(FOLDER, &["ufw-more"]).check(UFW_EXCEPTIONS, run);
    }
}

const SEBOOLEAN_EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn seboolean_does_what_ansible_does() {
    if is_sandbox("golden::seboolean_does_what_ansible_does") {
        Golden::load(FOLDER, &["seboolean-more"]).check(SEBOOLEAN_EXCEPTIONS, run);
    }
}

const SELINUX_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-selinux-nolib",
    "programs are asked, and no library of Python is needed",
)];

#[test]
fn selinux_does_what_ansible_does() {
    if is_sandbox("golden::selinux_does_what_ansible_does") {
        Golden::load(FOLDER, &["selinux-more", "selinux-policy"]).check(SELINUX_EXCEPTIONS, run);
    }
}
