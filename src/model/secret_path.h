#pragma once

// Where secrets are, and who owns them. A path is a group's path followed by the secret's name.
// Jobs write it as "/finance/db", people as "finance/db".

#include <string_view>

namespace docket::model {

// The path without leading slashes: what the secret is kept under.
std::string_view secret_place(std::string_view path);

// Its group: "finance" of "finance/db"; empty for a secret that is open to all.
std::string_view secret_group(std::string_view path);

// The file of a secret volume, relative to the working directory, which takes the place of a
// container's root.
std::string_view secret_file(std::string_view container_path);

// A job may use secrets of its own path and above it, as in DC/OS: "prod/email/key" is for the job
// prod.email and those below it, "prod/key" for all of group prod, "key" for all.
bool may_use_secret(std::string_view job_id, std::string_view path);

}  // namespace docket::model
