#pragma once

// Where secrets are, and whose they are. A path is that of a group with the secret's name behind
// it: jobs name its source as "/finance/db", people as "finance/db".

#include <string_view>

namespace docket::model {

// The path without slashes in front: what the secret is kept under.
std::string_view secret_place(std::string_view path);

// Its group: "finance" of "finance/db", empty for one that is everybody's.
std::string_view secret_group(std::string_view path);

// The file of a secret volume, from the working directory on: that is what the root of a container
// would be to a command that has none.
std::string_view secret_file(std::string_view container_path);

// A job may use secrets of its own path and above it, as in DC/OS: "prod/email/key" is for the job
// prod.email and those below it, "prod/key" for all of group prod, "key" for all.
bool may_use_secret(std::string_view job_id, std::string_view path);

}  // namespace docket::model
