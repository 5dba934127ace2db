//! `ping`: answers, to show that the host can be worked on.

use async_trait::async_trait;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;

/// Answers `data`, and fails as a crashing module does when that is `crash`.
pub(crate) struct Ping;

/// The checked options.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    data: String,
}

#[async_trait]
impl Module for Ping {
    type Args = Args;
    type State = ();
    const SPEC: Spec = Spec::new(
        "ping",
        &[Opt::new("data", Type::Str).default(Default::Str("pong"))],
    );

    async fn inspect(&self, _target: &dyn Target, args: &Args) -> Result<(), Failure> {
        match args.data.as_str() {
            "crash" => Err(Failure::new("Task failed: Module failed: boom")),
            _ => Ok(()),
        }
    }

    fn diff(&self, args: &Args, (): &(), _mode: Mode) -> Verdict {
        Verdict::unchanged(answer(args))
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        args: &Args,
        (): (),
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(answer(args))
    }
}

fn answer(args: &Args) -> Output {
    Output::new(Object::from_iter([(
        "ping".to_owned(),
        args.data.as_str().into(),
    )]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Ping;
    use crate::setup::tests::call;

    #[test]
    fn ping_answers_its_data_and_crashes_when_asked_to() {
        assert_eq!(call(&Ping, &json!({})).result["ping"], "pong");
        assert_eq!(
            call(&Ping, &json!({"data": "hello"})).result["ping"],
            "hello"
        );
        let crashed = call(&Ping, &json!({"data": "crash"}));
        assert_eq!(
            (crashed.failed, crashed.msg),
            (true, Some(json!("Task failed: Module failed: boom")))
        );
    }
}
