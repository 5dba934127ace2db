//! Builds the agent that the program carries inside itself, so that a build needs no step but `cargo build`.
//!
//! The agent is a program of its own, with its own profile and linked statically, which cargo cannot express as a
//! dependency: so cargo is run again, in a target folder of its own, since this build holds the lock of the usual one.
//! That folder stays, so that later builds are quick. What comes out is `OUT_DIR/rustle-agent`, and `rustle-agent.gz` for the way to hosts.
//!
//! It holds the families of modules that this build has by its features. `RUSTLE_AGENT_PREBUILT=/path` takes that file in
//! place of a build.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script starts its compiler itself"
)]

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PREBUILT: &str = "RUSTLE_AGENT_PREBUILT";

/// The features of this program and of the agent that each stand for a family of modules.
const FAMILIES: [&str; 4] = ["commands", "files", "packages", "system"];

/// What cargo and clippy set for this build and what the build of the agent must not see.
///
/// `RUSTC_WRAPPER` (a compiler cache) stays, and so does the jobserver of `CARGO_MAKEFLAGS`: both builds together keep to
/// the number of jobs.
const NOT_INHERITED: [&str; 6] = [
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
];

fn main() -> ExitCode {
    match put_agent_in_place() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Cargo shows what a build script that failed wrote; where it cannot be written, nobody reads it.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn put_agent_in_place() -> Outcome<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={PREBUILT}");
    let agent = PathBuf::from(var("OUT_DIR")?).join("rustle-agent");
    let built = match env::var_os(PREBUILT).filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = PathBuf::from(path);
            println!("cargo:rerun-if-changed={}", path.display());
            path
        }
        None => build(&Linkage::find()?)?,
    };
    // Removed first: an agent that runs somewhere keeps its own file, and a link is not written through.
    let _ = fs::remove_file(&agent);
    fs::copy(&built, &agent)
        .map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    pack(&agent)?;
    println!("cargo:rustc-env=RUSTLE_AGENT={}", agent.display());
    println!(
        "cargo:rustc-env=RUSTLE_AGENT_PLATFORM={}-{}",
        var("CARGO_CFG_TARGET_ARCH")?,
        var("CARGO_CFG_TARGET_OS")?
    );
    Ok(())
}

/// Writes the agent once more, packed by gzip.
fn pack(agent: &Path) -> Outcome<()> {
    let packed = fs::File::create(agent.with_extension("gz"))?;
    let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::best());
    std::io::copy(&mut fs::File::open(agent)?, &mut encoder)?;
    encoder.finish()?;
    Ok(())
}

/// How the agent gets linked without needing anything of the host it lands on.
struct Linkage {
    target: String,
    rustflags: &'static [&'static str],
}

impl Linkage {
    /// musl where its standard library and a C compiler for it are installed, else the platform's own libc, statically.
    fn find() -> Outcome<Self> {
        let arch = var("CARGO_CFG_TARGET_ARCH")?;
        let musl = format!("{arch}-unknown-linux-musl");
        let compilers = ["musl-gcc".to_owned(), format!("{arch}-linux-musl-gcc")];
        if has_std(&musl)? && compilers.iter().any(|compiler| runs(compiler)) {
            return Ok(Self {
                target: musl,
                rustflags: &[],
            });
        }
        Ok(Self {
            target: var("TARGET")?,
            rustflags: &["-Ctarget-feature=+crt-static"],
        })
    }
}

/// Whether the standard library for `target` is installed.
fn has_std(target: &str) -> Outcome<bool> {
    let printed = Command::new(var("RUSTC")?)
        .args(["--print", "target-libdir", "--target", target])
        .output()?;
    let folder = PathBuf::from(String::from_utf8(printed.stdout)?.trim());
    let is_std = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libstd-");
    Ok(printed.status.success()
        && fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| is_std(&entry))))
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds the agent, tells cargo what it was made of, and returns where it lies.
fn build(linkage: &Linkage) -> Outcome<PathBuf> {
    let target_dir = agent_target_dir()?;
    let mut rustflags = linkage.rustflags.to_vec();
    let profile = if var("PROFILE")? == "release" {
        // It aborts when it panics, so nothing reads them, and they are a tenth of it.
        rustflags.push("-Cforce-unwind-tables=no");
        "agent"
    } else {
        "agent-dev"
    };
    let mut cargo = Command::new(var("CARGO")?);
    cargo.args([
        "build",
        "--locked",
        "--package",
        "rustle-agent",
        "--profile",
        profile,
    ]);
    // A target that is named keeps the flags away from proc-macros and build scripts, which are not to be static.
    cargo
        .args(["--target", &linkage.target])
        .args(["--no-default-features", "--features", &families()])
        .arg("--target-dir")
        .arg(&target_dir);
    if env::var("CARGO_NET_OFFLINE").is_ok_and(|offline| offline == "true") {
        cargo.arg("--offline");
    }
    for name in NOT_INHERITED {
        cargo.env_remove(name);
    }
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\x1f"))
        .env("CARGO_BUILD_BUILD_DIR", &target_dir);
    cargo
        .current_dir(var("CARGO_MANIFEST_DIR")?)
        .stdout(Stdio::null());
    let output = cargo.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("the agent does not build ({}):\n{said}", output.status).into());
    }
    let built = target_dir
        .join(&linkage.target)
        .join(profile)
        .join("rustle-agent");
    watch_sources(&built.with_extension("d"))?;
    Ok(built)
}

fn families() -> String {
    let is_on =
        |family: &&str| env::var_os(format!("CARGO_FEATURE_{}", family.to_uppercase())).is_some();
    FAMILIES
        .into_iter()
        .filter(is_on)
        .collect::<Vec<_>>()
        .join(",")
}

/// Beside the folders of all build scripts: a build, a check and a run of clippy have an `OUT_DIR` each, and share this one.
fn agent_target_dir() -> Outcome<PathBuf> {
    let out_dir = PathBuf::from(var("OUT_DIR")?);
    let folders = out_dir
        .ancestors()
        .nth(2)
        .ok_or("OUT_DIR lies in no folder")?;
    Ok(folders.join("agent-target"))
}

/// Has this script run again when something changes that the agent was made of: its sources, as the compiler lists them, and
/// their manifests. After a build that failed cargo runs it again anyway.
fn watch_sources(list: &Path) -> Outcome<()> {
    let text = fs::read_to_string(list)
        .map_err(|error| format!("cannot read {}: {error}", list.display()))?;
    let sources = text.split_once(": ").map_or("", |(_, sources)| sources);
    let mut watched: Vec<String> = vec!["Cargo.toml".into(), "Cargo.lock".into()];
    for source in sources
        .replace("\\ ", "\0")
        .split_whitespace()
        .map(|source| source.replace('\0', " "))
    {
        if let Some((package, _)) = source.split_once("/src/") {
            watched.push(format!("{package}/Cargo.toml"));
        }
        watched.push(source);
    }
    watched.sort_unstable();
    watched.dedup();
    for path in watched {
        println!("cargo:rerun-if-changed={path}");
    }
    Ok(())
}

fn var(name: &str) -> Outcome<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}
