//! The wait itself: one look after the other until what is waited for is so, or the time is over.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use rustle_module::python_regex::{Flags, PythonRegex, python_error};
use rustle_module::{Failure, Target, pause};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connections::{Counted, state_number};
use super::search::Matched;
use super::{Args, WaitState, number};
use rustle_module::hosts::addresses_of;

/// How much is read from a port at once.
const CHUNK: usize = 1024;

/// How much of what a port sends is kept to be searched.
const KEPT: usize = 16 * 1024 * 1024;

/// A wait under way.
pub(super) struct Waiting<'a> {
    target: &'a dyn Target,
    args: &'a Args,
    port: Option<u16>,
    search: Option<PythonRegex>,
    counted: Option<Counted>,
    start: Instant,
    end: Instant,
}

impl<'a> Waiting<'a> {
    /// Reads the arguments; the time runs from now on.
    ///
    /// # Errors
    /// When they do not go together, or name what there is not.
    pub(super) async fn new(target: &'a dyn Target, args: &'a Args) -> Result<Self, Failure> {
        let start = Instant::now();
        let multiline = Flags {
            multiline: true,
            ..Flags::default()
        };
        let given = args.search_regex.as_deref().filter(|text| !text.is_empty());
        let search = given.map(|pattern| PythonRegex::with(pattern, multiline));
        let search = search.transpose().map_err(|failure| {
            let why = python_error(&failure);
            Failure::new(format!("Invalid regular expression: {why}"))
        })?;
        args.check()?;
        let mut states = Vec::new();
        for name in &args.active_connection_states {
            let unknown = || {
                let msg = format!("unknown active_connection_state ({name}) defined");
                Failure::new(msg).with("elapsed", 0)
            };
            states.push(state_number(name).ok_or_else(unknown)?);
        }
        let mut waiting = Self {
            target,
            args,
            port: args.port().filter(|port| *port != 0),
            search,
            counted: None,
            start,
            end: start + Duration::from_secs(number(&args.timeout)),
        };
        if args.state == WaitState::Drained {
            waiting.counted = Some(waiting.counted(states).await?);
        }
        Ok(waiting)
    }

    async fn counted(&self, states: Vec<u8>) -> Result<Counted, Failure> {
        let resolved = |addresses: Vec<IpAddr>| {
            let msg = "Task failed: Module failed: [Errno -2] Name or service not known";
            if addresses.is_empty() {
                Err(Failure::new(msg))
            } else {
                Ok(addresses)
            }
        };
        let mut excluded = Vec::new();
        for host in self.args.exclude_hosts.iter().flatten() {
            excluded.extend(resolved(addresses_of(self.target, host).await)?);
        }
        Ok(Counted {
            port: self.port.unwrap_or_default(),
            addresses: resolved(addresses_of(self.target, &self.args.host).await)?,
            excluded,
            states,
        })
    }

    /// The whole seconds since the start.
    pub(super) fn elapsed(&self) -> u64 {
        self.start.elapsed().as_secs()
    }

    /// Waits until it is so, and tells what a search found.
    ///
    /// # Errors
    /// When the time is over or the task is cancelled.
    pub(super) async fn run(&mut self) -> Result<Matched, Failure> {
        let delay = number(&self.args.delay);
        if delay > 0 {
            pause(self.target, Duration::from_secs(delay)).await?;
        }
        let has_path = self.args.path.as_ref().is_some_and(|path| !path.is_empty());
        if self.port.is_none() && !has_path && self.args.state != WaitState::Drained {
            let time = Duration::from_secs(number(&self.args.timeout));
            pause(self.target, time).await?;
            return Ok(Matched::default());
        }
        while Instant::now() < self.end {
            if let Some(matched) = self.look().await? {
                return Ok(matched);
            }
            let sleep = Duration::from_secs(number(&self.args.sleep));
            pause(self.target, sleep.max(Duration::from_millis(1))).await?;
        }
        let msg = self.args.msg.clone().filter(|msg| !msg.is_empty());
        let msg = msg.unwrap_or_else(|| self.timed_out());
        Err(Failure::new(msg).with("elapsed", self.elapsed()))
    }

    /// Looks once.
    async fn look(&self) -> Result<Option<Matched>, Failure> {
        let is_so = match (self.args.state, self.args.path.as_deref(), &self.counted) {
            (_, _, Some(counted)) => counted.count() == 0,
            (WaitState::Absent | WaitState::Stopped, Some(path), _) => !Path::new(path).exists(),
            (WaitState::Absent | WaitState::Stopped, None, _) => self.connect().await?.is_none(),
            (_, Some(path), _) => return self.look_at_path(path),
            (_, None, _) => return self.look_at_port().await,
        };
        Ok(is_so.then(Matched::default))
    }

    fn look_at_path(&self, path: &str) -> Result<Option<Matched>, Failure> {
        match fs::metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or_default();
                let msg = format!("Failed to stat {path}, {text}");
                let msg = self.args.msg.clone().unwrap_or(msg);
                return Err(Failure::new(msg).with("elapsed", self.elapsed()));
            }
        }
        let Some(search) = &self.search else {
            return Ok(Some(Matched::default()));
        };
        // What cannot be read now may be readable later.
        let content = fs::read(path).unwrap_or_default();
        search.find(&content).as_ref().map(Matched::of).transpose()
    }

    async fn look_at_port(&self) -> Result<Option<Matched>, Failure> {
        let Some(mut stream) = self.connect().await? else {
            return Ok(None);
        };
        let Some(search) = &self.search else {
            return Ok(Some(Matched::default()));
        };
        let mut data = Vec::new();
        let mut chunk = [0; CHUNK];
        while let Some(left) = self.end.checked_duration_since(Instant::now()) {
            let cancelled = self.target.cancelled();
            let read = async {
                let read = timeout(left, stream.read(&mut chunk)).await;
                read.ok().and_then(Result::ok).filter(|read| *read > 0)
            };
            let Some(read) = either(read, cancelled).await? else {
                break;
            };
            data.extend_from_slice(&chunk[..read]);
            if let Some(found) = search.find(&data) {
                return Matched::of(&found).map(Some);
            }
            if data.len() > KEPT {
                data.drain(..KEPT / 2);
            }
        }
        Ok(None)
    }

    /// Connects to the port, if something listens there.
    ///
    /// # Errors
    /// When the task is cancelled.
    async fn connect(&self) -> Result<Option<TcpStream>, Failure> {
        let Some(port) = self.port else {
            return Ok(None);
        };
        let left = self.end.saturating_duration_since(Instant::now());
        let limit = Duration::from_secs(number(&self.args.connect_timeout)).min(left);
        for address in addresses_of(self.target, &self.args.host).await {
            let connect = timeout(limit, TcpStream::connect(SocketAddr::new(address, port)));
            if let Ok(Ok(stream)) = either(connect, self.target.cancelled()).await? {
                return Ok(Some(stream));
            }
        }
        Ok(None)
    }

    /// What did not come about in time.
    fn timed_out(&self) -> String {
        let Args {
            host, port, path, ..
        } = self.args;
        let port = port.as_ref().map(ToString::to_string).unwrap_or_default();
        let searched = self.search.as_ref().and(self.args.search_regex.as_deref());
        match (self.args.state, path, searched) {
            (WaitState::Drained, ..) => {
                format!("Timeout when waiting for {host}:{port} to drain")
            }
            (WaitState::Absent | WaitState::Stopped, Some(path), _) => {
                format!("Timeout when waiting for {path} to be absent.")
            }
            (WaitState::Absent | WaitState::Stopped, None, _) => {
                format!("Timeout when waiting for {host}:{port} to stop.")
            }
            (_, Some(path), Some(text)) => {
                format!("Timeout when waiting for search string {text} in {path}")
            }
            (_, Some(path), None) => format!("Timeout when waiting for file {path}"),
            (_, None, Some(text)) => {
                format!("Timeout when waiting for search string {text} in {host}:{port}")
            }
            (_, None, None) => format!("Timeout when waiting for {host}:{port}"),
        }
    }
}

/// Waits for `wanted`, unless the task is cancelled first.
async fn either<T>(
    wanted: impl Future<Output = T>,
    cancelled: impl Future<Output = ()>,
) -> Result<T, Failure> {
    tokio::select! {
        done = wanted => Ok(done),
        () = cancelled => Err(Failure::new("the task was cancelled while it waited")),
    }
}
