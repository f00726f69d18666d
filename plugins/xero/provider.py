"""What Airflow's connection form shows for the connection type Xero (entry point `apache_airflow_provider`)."""

from typing import Any


def text(label: str, description: str, default: str | None = None, **schema: Any) -> dict[str, Any]:
    """A text field of the form, kept in the connection's extra; empty means the default."""
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], "default": default, **schema},
    }


def get_provider_info() -> dict[str, Any]:
    """The provider's declaration in the form that Airflow 3.3 reads (`provider.yaml.schema.json`)."""
    return {
        "package-name": "qicworks-xero",
        "name": "Xero",
        "description": "Keeps QicWorks and Xero in step.",
        "connection-types": [
            {
                "connection-type": "xero",
                "hook-name": "Xero",
                "hook-class-name": "xero.hooks.XeroHook",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port"],
                    "relabeling": {"login": "Client id", "password": "Client secret", "host": "API host"},
                    "placeholders": {
                        "login": "Client id of the app at developer.xero.com",
                        "password": "Client secret of that app",
                        "host": "https://api.xero.com",
                    },
                },
                "conn-fields": {
                    "grant_type": text(
                        "Grant",
                        "authorization_code: a user of each organisation connects it in the browser. "
                        "client_credentials: a custom connection, which needs nobody.",
                        "authorization_code",
                        enum=["authorization_code", "client_credentials"],
                    ),
                    "scopes": text(
                        "Scopes",
                        "What is asked for, separated by spaces. Empty: what pulls and pushes need, to write included.",
                    ),
                    "redirect_uri": text(
                        "Redirect URI",
                        "Where Xero sends the user back to; as registered with the app. Only for authorization_code.",
                    ),
                    "token_keys": text(
                        "Token keys",
                        "Fernet keys that encrypt the stored tokens, newest first, separated by commas. "
                        "Tokens are encrypted anew, under the first, when they are renewed.",
                        format="password",
                    ),
                    "identity_host": text("Identity host", "Where tokens come from.", "https://identity.xero.com"),
                    "login_host": text("Login host", "Where users log in.", "https://login.xero.com"),
                },
            }
        ],
    }
