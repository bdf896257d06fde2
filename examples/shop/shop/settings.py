"""
The settings of the shop; the environment may change these:

    SHOP_FOLDER      where the database file, mails, log and secret key are kept; `var` beside `manage.py`
    DATABASE_URL     postgresql://user:password@host:port/name, instead of the file
    SHOP_HOSTS       the names under which the shop is reached, separated by commas
    SHOP_IS_SECURE   1 if it is reached by https: cookies are then sent by https only
    SHOP_DAYS_AHEAD  how many days returns think it is later than it is, to see what becomes of them
    GATEWAY_URL      where the payment gateway is
    GATEWAY_SECRET   with which the gateway signs what it reports
"""

import os
from hashlib import sha256
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from shop.environment import database, secret_in

BASE = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("SHOP_FOLDER", BASE / "var"))
FOLDER.mkdir(parents=True, exist_ok=True)

SECRET_KEY = secret_in(FOLDER / "secret")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("SHOP_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rma.adapters.django",
    "shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "shop.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "shop.middleware.failures",
]
ROOT_URLCONF = "shop.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": database(os.environ.get("DATABASE_URL"), FOLDER)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE / "shop" / "locale"]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True

STATIC_URL = "static/"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "orders"
LOGOUT_REDIRECT_URL = "login"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("SHOP_IS_SECURE") == "1"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "shop.views.failures.forged"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024  # bytes; the longest form of the shop has a tenth of it
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

EMAIL_BACKEND = "shop.mails.FileBackend"
EMAIL_FILE_PATH = FOLDER / "mails"
DEFAULT_FROM_EMAIL = "returns@shop.example"

GATEWAY_URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8701")
GATEWAY_SECRET = os.environ.get("GATEWAY_SECRET", sha256(f"gateway {SECRET_KEY}".encode()).hexdigest())
GATEWAY_TIMEOUT = 3.0  # seconds
SHOP_DAYS_AHEAD = float(os.environ.get("SHOP_DAYS_AHEAD", "0"))

# A file, since each answer of the gateway that is lost is logged with its traceback.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "file": {
            "class": "logging.FileHandler",
            "filename": FOLDER / "log.txt",
            "formatter": "line",
            "delay": True,
        }
    },
    "root": {"handlers": ["file"], "level": "WARNING"},
}

RMA = {"SERVICE": "shop.returns.make_service", "TIMER": 5}
