//! Locales, made by the system's own `locale-gen`.

use rustle_testkit::golden::{is_sandbox, said};
use serde_json::json;

use crate::calls::call;

#[test]
fn check_mode_tells_that_a_locale_would_be_made_and_makes_none() {
    if !is_sandbox("locales::check_mode_tells_that_a_locale_would_be_made_and_makes_none") {
        return;
    }
    let _printed = said("echo '# yi_US.UTF-8 UTF-8' >/etc/locale.gen");
    let state = "cat /etc/locale.gen; locale -a";
    let before = said(state);
    let args = json!({"name": "yi_US.UTF-8"});
    let result = call("community.general.locale_gen", &args, true);
    assert!(result.changed && !result.failed, "{result:?}");
    assert_eq!(said(state), before);
}
