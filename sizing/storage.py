"""Which tensors of a model are stored in which format."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from schemas.errors import ModelUnreadableError
from schemas.vocabulary import Evidence

from .catalog.formats import Format, FormatCatalog
from .catalog.gguf import load_gguf
from .gguf import GgufTypes, gguf_types
from .model import Model, Tensor
from .published import PublishedFormat, StoredAs
from .remembered import of_each_model
from .stored import Stored


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Storage:
    """How a model's weights are stored where they are served."""

    quantized: Format
    """Format of the tensors that a quantized format applies to, or of all tensors."""
    plain: Format
    """Format of the tensors that stay as they are."""
    published: PublishedFormat | None
    """What the checkpoint itself says of its modules, when it is served as published."""
    formats: tuple[tuple[StoredAs, Format], ...] = ()
    """How each of the checkpoint's formats is stored."""
    gguf: GgufTypes | None = None
    """Which tensor gets which type in a GGUF file."""
    stored: Stored | None = None
    """What the headers of the checkpoint's files say, when they were read and it is served as published."""

    @property
    def evidence(self) -> Evidence:
        """What bytes of weights rest on."""
        if self.stored is None:
            return "config"
        return "analytic" if self.stored.unmatched else "header"

    def format_of(self, tensor: Tensor, module: str) -> Format:
        """The format of ``tensor``, whose whole path is ``module``."""
        said = self._format_by_config(tensor, module)
        is_plain = self.stored.is_plain.get(module) if self.stored else None
        if is_plain is None or is_plain != said.is_quantized:
            return said
        return self.plain if is_plain else self.quantized

    def bytes_of(self, bits: int, module: str) -> int:
        """Bytes, rounded up, of a part of ``module`` that its format would store in ``bits``."""
        ratio = self.stored.per_expected.get(module) if self.stored else None
        if ratio is None:
            return -(-bits // 8)
        return -(-bits * ratio.numerator // (8 * ratio.denominator))

    def _format_by_config(self, tensor: Tensor, module: str) -> Format:
        if self.gguf:
            return replace(self.quantized, block=self.gguf.block_of(tensor, module))
        if not self.quantized.is_quantized:
            return self.quantized
        if self.published is None:
            return self.quantized if tensor.is_quantizable else self.plain
        is_output_matrix = tensor.part == "output" and len(tensor.shape) > 1
        stored = self.published.stored_as(
            module, by_default=tensor.is_quantizable, if_named=tensor.is_quantizable or is_output_matrix
        )
        return next((each for key, each in self.formats if key == stored), self.plain)


@of_each_model
def kinds_of_layers(model: Model, storage: Storage) -> Sequence[Hashable]:
    """For each layer, what its place has to do with its formats: the same layer is stored alike where it is equal."""
    if storage.stored:
        return range(model.num_hidden_layers)
    if storage.gguf:
        return storage.gguf.kinds_of_layers(model.num_hidden_layers)
    if storage.published:
        return storage.published.modules.kinds_below(model.layers_module, model.num_hidden_layers)
    return [None] * model.num_hidden_layers


def storage_as_asked(model: Model, asked: Format, plain: Format) -> Storage:
    """Storage of ``model`` quantized to the format ``asked``, with what that format usually leaves out."""
    mixture = load_gguf().mixtures.get(asked.name)
    gguf = gguf_types(mixture, model) if mixture else None
    return Storage(quantized=asked, plain=plain, published=None, gguf=gguf)


def storage_in_files(model: Model, formats: FormatCatalog) -> Storage:
    """Storage of a checkpoint served as it is, by what its config says.

    Raises: ModelUnreadableError when the config's element type is not one of weights, InvalidRequestError.
    """
    plain = plain_format(model, formats)
    if model.published:
        return storage_as_published(model.published, formats, plain)
    return storage_as_asked(model, plain, plain)


def plain_format(model: Model, formats: FormatCatalog) -> Format:
    """Format in which what is not quantized of ``model`` is served.

    Raises: ModelUnreadableError when the config's element type is not one of weights.
    """
    if model.dtype not in formats.dtypes:
        raise ModelUnreadableError(
            f"model.config.dtype: {model.dtype!r} is not an element type of weights",
            field="model.config.dtype",
            hint=f"one of {', '.join(formats.dtypes)}",
        )
    return formats.weight_format(formats.dtypes[model.dtype].served)


def storage_as_published(published: PublishedFormat, formats: FormatCatalog, plain: Format) -> Storage:
    """Storage of a quantized checkpoint, its own scales and lists of modules included.

    Raises: InvalidRequestError when no row says how one of its formats is stored.
    """
    stored = {each: _stored(each, formats.weight_format(each.weight_format)) for each in published.formats}
    return Storage(
        quantized=stored[published.stored],
        plain=plain,
        published=published,
        formats=tuple(sorted(stored.items(), key=lambda item: item[1].name)),
    )


def _stored(said: StoredAs, row: Format) -> Format:
    """The format of ``row`` with the scales a checkpoint says it has; a zero point is as wide as an element."""
    scale = row.scale
    if scale is None:
        return row
    zeros = scale.zero_point_bits if said.has_zero_points is None else row.bits * said.has_zero_points
    return replace(
        row,
        scale=replace(scale, per=said.per or scale.per, group=said.group or scale.group, zero_point_bits=zeros),
        is_reordered=said.is_reordered,
    )
