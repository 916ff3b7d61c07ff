import { Body, Controller, Delete, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../http/access.js';
import { IdPipe } from '../../http/id.pipe.js';
import { NewVariantDto, VariantChangesDto, VariantResponse } from './dto/variants.dto.js';
import { VariantsService } from './variants.service.js';
import { WrittenJson } from '../../http/written-json.js';

@ApiTags('catalog')
@ApiBearerAuth()
@Roles('MANAGER', 'ADMIN')
@Controller('api/products/:productId/variants')
export class VariantsController {
  constructor(private readonly variants: VariantsService) {}

  @WrittenJson()
  @ApiCreatedResponse({ type: VariantResponse })
  @Post()
  add(@Param('productId', IdPipe) productId: string, @Body() body: NewVariantDto): Promise<string> {
    return this.variants.add(productId, body);
  }

  @WrittenJson()
  @ApiOkResponse({ type: VariantResponse })
  @Patch(':variantId')
  change(
    @Param('productId', IdPipe) productId: string,
    @Param('variantId', IdPipe) variantId: string,
    @Body() body: VariantChangesDto,
  ): Promise<string> {
    return this.variants.change(productId, variantId, body);
  }

  /** Takes a variant out of the catalog for good. Orders keep their lines. */
  @HttpCode(204)
  @Delete(':variantId')
  archive(@Param('productId', IdPipe) productId: string, @Param('variantId', IdPipe) variantId: string): Promise<void> {
    return this.variants.archive(productId, variantId);
  }
}
