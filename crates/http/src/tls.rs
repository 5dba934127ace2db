//! TLS: whom to trust, and who we are.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::HttpError;

/// Whom to trust, and who we are.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Whether servers have to prove who they are.
    pub verify: bool,
    /// A file of further authorities to trust.
    pub ca_path: Option<PathBuf>,
    /// A file with our certificate, and perhaps its key.
    pub client_cert: Option<PathBuf>,
    /// A file with the key.
    pub client_key: Option<PathBuf>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            verify: true,
            ca_path: None,
            client_cert: None,
            client_key: None,
        }
    }
}

impl TlsSettings {
    /// What a handshake needs. Authorities are those that this machine trusts, besides `ca_path`.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, HttpError> {
        let provider = Arc::new(ring::default_provider());
        let bad = |error: &dyn std::fmt::Display| HttpError::Tls(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(&error))?;
        let builder = if self.verify {
            builder.with_root_certificates(self.roots()?)
        } else {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        };
        let Some(path) = &self.client_cert else {
            return Ok(Arc::new(builder.with_no_client_auth()));
        };
        let certificates = certificates(path)?;
        let key = self.client_key.as_ref().unwrap_or(path);
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| HttpError::Tls(format!("no key in {}: {error}", key.display())))?;
        let config = builder.with_client_auth_cert(certificates, key);
        config.map(Arc::new).map_err(|error| bad(&error))
    }

    fn roots(&self) -> Result<RootCertStore, HttpError> {
        let mut roots = RootCertStore::empty();
        // Certificates of the machine's that cannot be read are no reason to trust none.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = &self.ca_path {
            roots.add_parsable_certificates(certificates(path)?);
        }
        Ok(roots)
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.map_err(|error| HttpError::Tls(format!("no certificates in {}: {error}", path.display())))
}

/// Takes any server for the one that was meant, as `validate_certs: false` asks for.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _status: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
