//! Users and groups are found in files first, and else asked for.

use std::fs;

use rustle_module::Mode;
use rustle_module::accounts::Accounts;

use rustle_testkit::golden::Here;

fn etc(nsswitch: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let etc = root.path().join("etc");
    fs::create_dir(&etc).expect("a folder");
    fs::write(etc.join("passwd"), "ann:x:1000:100:Ann:/home/ann:/bin/sh\n").expect("a file");
    fs::write(etc.join("group"), "staff:x:100:ann\n").expect("a file");
    fs::write(etc.join("nsswitch.conf"), nsswitch).expect("a file");
    root
}

#[tokio::test]
async fn users_and_groups_are_found_by_name_and_by_id() {
    let (root, here) = (etc("passwd: files\n"), Here::new(Mode::default()));
    let accounts = Accounts::under(&here, root.path());
    let by_name = accounts.user_named("ann").await.expect("a user");
    assert_eq!(accounts.user_with_id(1000).await, Some(by_name));
    let group = accounts.group_with_id(100).await.expect("a group");
    assert_eq!(accounts.group_named("staff").await, Some(group));
    assert_eq!(accounts.local_users().len(), 1);
}

#[tokio::test]
async fn a_directory_is_asked_only_where_the_host_has_one() {
    let here = Here::new(Mode::default());
    // `root` is not in these files, but the machine itself knows it.
    let files_only = etc("passwd: files\n");
    assert_eq!(
        Accounts::under(&here, files_only.path())
            .user_named("root")
            .await,
        None
    );
    let with_directory = etc("passwd: files sss\n");
    let user = Accounts::under(&here, with_directory.path())
        .user_named("root")
        .await;
    assert_eq!(user.map(|user| user.uid), Some(0));
}
