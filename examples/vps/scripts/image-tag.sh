#!/bin/sh
# Prints tag=… for the image of this run, in a form that the image policies can select:
#   a tag vX.Y.Z  -> X.Y.Z                        main    -> X.(Y+1).0-main.<run>, the pre-release of the next version
#   develop       -> develop-<run>-<sha7>         others  -> pr-<run>, which no policy selects
set -eu
case "$GITHUB_REF" in
  refs/tags/v*) tag=${GITHUB_REF#refs/tags/v} ;;
  refs/heads/main)
    last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || echo v1.0.0)
    major=$(echo "${last#v}" | cut -d. -f1)
    minor=$(echo "${last#v}" | cut -d. -f2)
    tag="$major.$((minor + 1)).0-main.$GITHUB_RUN_NUMBER" ;;
  refs/heads/develop) tag="develop-$GITHUB_RUN_NUMBER-$(echo "$GITHUB_SHA" | cut -c1-7)" ;;
  *) tag="pr-$GITHUB_RUN_NUMBER" ;;
esac
echo "tag=$tag"
