import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Public, Roles } from '../../http/access.js';
import { IdPipe } from '../../http/id.pipe.js';
import { PageQuery } from '../../http/page.dto.js';
import { CategoriesService } from './categories.service.js';
import { CategoryChangesDto, CategoryPage, CategoryResponse, NewCategoryDto } from './dto/categories.dto.js';

@ApiTags('catalog')
@ApiBearerAuth()
@Controller('api/categories')
export class CategoriesController {
  constructor(private readonly categories: CategoriesService) {}

  /** Newest first. */
  @Public()
  @Get()
  list(@Query() query: PageQuery): Promise<CategoryPage> {
    return this.categories.list(query);
  }

  @Roles('MANAGER', 'ADMIN')
  @Post()
  create(@Body() body: NewCategoryDto): Promise<CategoryResponse> {
    return this.categories.create(body);
  }

  @Roles('MANAGER', 'ADMIN')
  @Patch(':id')
  change(@Param('id', IdPipe) id: string, @Body() body: CategoryChangesDto): Promise<CategoryResponse> {
    return this.categories.change(id, body);
  }

  /** Only one that no product is in. */
  @Roles('MANAGER', 'ADMIN')
  @HttpCode(204)
  @Delete(':id')
  remove(@Param('id', IdPipe) id: string): Promise<void> {
    return this.categories.remove(id);
  }
}
