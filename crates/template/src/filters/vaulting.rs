//! `vault` and `unvault`: texts encrypted with a password that the template gives.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all};
use crate::error::{invalid, not_implemented};
use crate::python::{py_str, type_name};

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(environment, &[("vault", vault), ("unvault", unvault)]);
}

fn text(value: &Value, what: &str) -> Result<String, Error> {
    if value.kind() == ValueKind::String {
        return Ok(py_str(value));
    }
    Err(invalid(format!(
        "{what} has to be a string, not {}",
        type_name(value)
    )))
}

fn vault(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let plain = text(value, "what is encrypted")?;
    let secret = text(&args.required(0, "secret")?, "the secret")?;
    if args.flag(3, "wrap_object", false) {
        return Err(not_implemented("`wrap_object` of filter `vault`"));
    }
    let salt = args.text(1, "salt").map_or_else(
        || rand::random::<[u8; rustle_vault::SALT_LENGTH]>().to_vec(),
        String::into_bytes,
    );
    let label = args.text_or(2, "vault_id", "filter_default");
    rustle_vault::encrypt(plain.as_bytes(), &secret, &salt, Some(&label))
        .map(Value::from)
        .map_err(|error| invalid(error.to_string()))
}

fn unvault(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let encrypted = text(value, "what is decrypted")?;
    let secret = text(&args.required(0, "secret")?, "the secret")?;
    if !rustle_vault::is_encrypted(encrypted.as_bytes()) {
        return Ok(value.clone());
    }
    let plain = rustle_vault::decrypt(&encrypted, &secret).map_err(|error| error.to_string());
    plain
        .and_then(|plain| {
            String::from_utf8(plain).map_err(|_| "the decrypted text is not UTF-8".to_owned())
        })
        .map(Value::from)
        .map_err(invalid)
}
