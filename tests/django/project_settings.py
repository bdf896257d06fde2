"""The settings of a project in processes of its own; what differs between tests is in the environment."""

import json
import os

SECRET_KEY = "of tests"
INSTALLED_APPS = ["rma.adapters.django"]
DATABASES = {"default": json.loads(os.environ["RMA_TEST_DATABASE"])}
USE_TZ = True
TIME_ZONE = "UTC"
RMA = {
    "SERVICE": os.environ.get("RMA_TEST_SERVICE", "tests.django.project.make_service"),
    "TIMER": 60,
}
