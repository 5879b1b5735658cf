#!/bin/sh
# Builds the talk page, which ships inside the package (functions/pages/static).
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root/clients/talk"
npm ci
npm run build
