import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public, Roles } from '../../http/access.js';
import { IdPipe } from '../../http/id.pipe.js';
import { NewProductDto, ProductChangesDto, ProductPage, ProductResponse, ProductsQuery } from './dto/products.dto.js';
import { ProductList } from './product-list.js';
import { ProductsService } from './products.service.js';
import { WrittenJson } from '../../http/written-json.js';

@ApiTags('catalog')
@ApiBearerAuth()
@Controller('api/products')
export class ProductsController {
  constructor(
    private readonly products: ProductsService,
    private readonly productList: ProductList,
  ) {}

  /** Newest first, or, with a search, best first. Staff see what is not published too. */
  @Public()
  @WrittenJson()
  @ApiOkResponse({ type: ProductPage })
  @Get()
  list(@Query() query: ProductsQuery): Promise<string> {
    return this.productList.page(query);
  }

  @Public()
  @WrittenJson()
  @ApiOkResponse({ type: ProductResponse })
  @Get(':id')
  get(@Param('id', IdPipe) id: string): Promise<string> {
    return this.products.get(id);
  }

  /** A product with its variants, none of them in stock yet. */
  @Roles('MANAGER', 'ADMIN')
  @WrittenJson()
  @ApiCreatedResponse({ type: ProductResponse })
  @Post()
  create(@Body() body: NewProductDto): Promise<string> {
    return this.products.create(body);
  }

  @Roles('MANAGER', 'ADMIN')
  @WrittenJson()
  @ApiOkResponse({ type: ProductResponse })
  @Patch(':id')
  change(@Param('id', IdPipe) id: string, @Body() body: ProductChangesDto): Promise<string> {
    return this.products.change(id, body);
  }

  /** Takes a product and its variants out of the catalog for good. Orders keep their lines. */
  @Roles('MANAGER', 'ADMIN')
  @HttpCode(204)
  @Delete(':id')
  archive(@Param('id', IdPipe) id: string): Promise<void> {
    return this.products.archive(id);
  }
}
