// SPDX-License-Identifier: Apache-2.0
#include "glslc.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

namespace blendr::work {
namespace {

/// A folder that goes with this object.
class folder {
public:
    folder()
    {
        std::error_code none;
        path_ = (std::filesystem::temp_directory_path(none) / "blendr-glsl-XXXXXX").string();
        if (::mkdtemp(path_.data()) == nullptr) path_.clear();
    }
    folder(folder const&) = delete;
    folder& operator=(folder const&) = delete;
    ~folder()
    {
        std::error_code none;
        if (!path_.empty()) std::filesystem::remove_all(path_, none);
    }
    bool there() const noexcept { return !path_.empty(); }
    std::string operator/(char const* name) const { return path_ + '/' + name; }

private:
    std::string path_;
};

std::string content_of(std::string const& path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

result<bytes, problem> compile_glsl(std::string_view name, bytes_view source)
{
    auto const refuse = [&](std::string why) {
        return fail{problem{fault::bad_input, std::string{name} + ": " + std::move(why)}};
    };
    folder const here;
    auto const in = here / "kernel.comp", out = here / "kernel.spv", said = here / "said";
    std::ofstream to{in, std::ios::binary};
    to.write(reinterpret_cast<char const*>(source.data()),
             static_cast<std::streamsize>(source.size()));
    if (!here.there() || !to.flush()) return refuse("there is no room for a temporary file");
    to.close();

    std::array<std::string, 6> words{"glslc", "--target-env=vulkan1.3", "-O", in, "-o", out};
    std::array<char*, 7> arguments{};
    for (std::size_t k = 0; k < words.size(); ++k) arguments[k] = words[k].data();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 2, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, 2, 1);
    pid_t child = 0;
    auto const failed = ::posix_spawnp(&child, "glslc", &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0)
        return refuse("it is GLSL, and there is no glslc here to compile it; give SPIR-V");
    // A text can be short and what it expands to endless.
    for (auto const& [what, most] :
         {std::pair{RLIMIT_CPU, rlim_t{30}}, std::pair{RLIMIT_AS, rlim_t{2} << 30},
          std::pair{RLIMIT_FSIZE, rlim_t{64} << 20}}) {
        ::rlimit const at_most{most, most};
        ::prlimit(child, what, &at_most, nullptr);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status))
        return refuse("the compiler of GLSL was ended: it took more than 30 seconds or 2 GiB");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        auto words_said = content_of(said);
        for (std::size_t at = 0; (at = words_said.find(in)) != std::string::npos;)
            words_said.replace(at, in.size(), "line");  // "line:12: error: ..."
        return refuse(words_said.substr(0, 2000));
    }
    return to_bytes(std::string_view{content_of(out)});
}

}  // namespace blendr::work
