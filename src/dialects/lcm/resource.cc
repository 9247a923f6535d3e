#include "dialects/lcm/resource.h"

#include <algorithm>
#include <array>

#include "kinds/rollout/topology.h"

namespace docket::lcm {
namespace {

using enum MemberType;

constexpr Member kName{.name = "name", .required = true};
constexpr Member kComment{.name = "comment"};
constexpr Member kPort{.name = "ssh-management-port", .type = kNumber};
constexpr Member kProfile{
    .name = "config-profile-id", .type = kReference, .of = kinds::kProfileFamily};
constexpr Member kCredential{
    .name = "machine-credential-id", .type = kReference, .of = kinds::kCredentialFamily};
constexpr Member kLastJob{.name = "last-job-id", .type = kReadOnly};
constexpr Member kJobStatus{.name = "job-status", .type = kReadOnly};

constexpr std::array kRepository{
    kName,
    Member{.name = "repo-url"},
    Member{.name = "repo-key-url"},
    Member{.name = "username"},
    Member{.name = "password", .type = kSecret},
    Member{.name = "use-proxy", .type = kBool, .otherwise = "false"},
    Member{.name = "deb-dist", .otherwise = R"("stable")"},
    Member{.name = "deb-components", .otherwise = R"("main")"},
    Member{.name = "manual-repository-setup", .type = kBool, .otherwise = "false"},
    kComment,
};

constexpr std::array kMachineCredential{
    kName,
    Member{.name = "login-user", .required = true, .alias = "login-name"},
    Member{.name = "login-password", .type = kSecret},
    Member{.name = "ssh-private-key", .type = kSecret},
    Member{.name = "ssh-unlock", .type = kSecret},
    Member{.name = "become-mode", .otherwise = R"("direct")", .of = "sudo su direct"},
    Member{.name = "become-user", .otherwise = R"("root")"},
    Member{.name = "become-password", .type = kSecret},
    Member{.name = "use-ssh-keys", .type = kBool},
    kComment,
};

constexpr std::array kConfigProfile{
    kName,
    Member{.name = "datastax-version", .required = true},
    Member{.name = "json", .type = kObject, .otherwise = "{}"},
    Member{.name = "agent-version", .type = kReadOnly},
    Member{.name = "config-path", .otherwise = R"("/etc/dse/")"},
    kComment,
};

constexpr std::array kCluster{
    kName,
    Member{.name = "repository-id", .type = kReference, .of = kinds::kRepositoryFamily},
    kCredential,
    kProfile,
    kPort,
    Member{.name = "managed", .type = kBool, .otherwise = "true"},
    Member{.name = "old-password", .type = kSecret, .v2_only = true},
    Member{.name = "new-password", .type = kSecret, .v2_only = true},
    kComment,
    Member{.name = "opsc-cluster-id", .type = kReadOnly},
    kLastJob,
    kJobStatus,
};

constexpr std::array kDatacenter{
    kName,
    Member{.name = "cluster-id", .type = kParent, .required = true, .of = kinds::kClusterFamily},
    kProfile,
    kCredential,
    kPort,
    Member{.name = "graph-enabled", .type = kBool, .otherwise = "false"},
    Member{.name = "solr-enabled", .type = kBool, .otherwise = "false"},
    Member{.name = "spark-enabled", .type = kBool, .otherwise = "false"},
    Member{.name = "hadoop-enabled", .type = kBool, .otherwise = "false"},
    kComment,
    Member{.name = "converged-on", .type = kReadOnly},
    kLastJob,
    kJobStatus,
};

constexpr std::array kNode{
    kName,
    Member{
        .name = "datacenter-id", .type = kParent, .required = true, .of = kinds::kDatacenterFamily},
    Member{.name = "ssh-management-address", .required = true},
    kPort,
    Member{.name = "rack", .otherwise = R"("rack1")"},
    Member{.name = "seed", .type = kBool},
    Member{.name = "auto-bootstrap", .type = kBool},
    Member{.name = "listen-address"},
    Member{.name = "native-transport-address", .v1_name = "rpc-address"},
    Member{.name = "broadcast-address"},
    Member{.name = "native-transport-broadcast-address", .v1_name = "broadcast-rpc-address"},
    Member{.name = "initial-token"},
    kProfile,
    kCredential,
    kComment,
    Member{.name = "facts", .type = kReadOnly, .otherwise = "{}"},
    kLastJob,
    kJobStatus,
};

constexpr std::array kResources{
    Resource{kinds::kRepositoryFamily, "repositories", kRepository},
    Resource{kinds::kCredentialFamily, "machine_credentials", kMachineCredential},
    Resource{kinds::kProfileFamily, "config_profiles", kConfigProfile},
    Resource{kinds::kClusterFamily, "clusters", kCluster},
    Resource{kinds::kDatacenterFamily, "datacenters", kDatacenter},
    Resource{kinds::kNodeFamily, "nodes", kNode},
};

}  // namespace

std::span<const Resource> resources() { return kResources; }

const Resource& resource(std::string_view family) {
  return *std::ranges::find(kResources, family, &Resource::family);
}

std::string_view name_in(Version version, const Member& member) {
  return version == Version::kV1 && !member.v1_name.empty() ? member.v1_name : member.name;
}

const Member* reference_to(const Resource& resource, std::string_view family) {
  const auto found = std::ranges::find_if(resource.members, [&](const Member& member) {
    return member.type == MemberType::kReference && member.of == family;
  });
  return found == resource.members.end() ? nullptr : &*found;
}

}  // namespace docket::lcm
